import { makeMedia, unpackArgv } from './unpack-cases.ts'
import { startSite } from './site.ts'
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { countCalls } from '../harness/index.ts'
await using site = await startSite('transfer-unpack')
const media = await makeMedia(site.scratch.path)
const root = site.scratch.at('r')
const argv = [...unpackArgv(site, root, media)]
for (const cache of [
  {},
  { NODE_COMPILE_CACHE: site.scratch.at('cache') },
  { NODE_COMPILE_CACHE: site.scratch.at('cache') },
  { NODE_COMPILE_CACHE: site.scratch.at('cache') },
  { UV_THREADPOOL_SIZE: '1' },
  { NODE_OPTIONS: '--jitless' },
  { NODE_OPTIONS: '--max-lazy' },
  { NODE_OPTIONS: '--single-threaded' },
]) {
  rmSync(root, { recursive: true, force: true })
  mkdirSync(root)
  for (const what of ['first', 'again']) {
    const r = spawnSync('bash', ['-c', 'TIMEFORMAT="%R %U %S"; time "$@" >/dev/null', 'x', ...argv], {
      env: { ...process.env, CARRYALL_PROGRESS: 'none', ...cache },
    })
    console.log(Object.keys(cache)[0] ?? '', what, r.stderr.toString().trim())
  }
}
rmSync(root, { recursive: true, force: true })
mkdirSync(root)
const c0 = process.resourceUsage()
await countCalls(argv, { CARRYALL_PROGRESS: 'none' })
