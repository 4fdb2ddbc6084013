import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Answer, scriptedRegistry } from '@carryall/oci/testing'
import { expect, onTestFinished, test } from 'vitest'

const BIN = join(import.meta.dirname, 'bin.ts')
const DIGEST = `sha256:${'ab'.repeat(32)}`
const PAGE = 100
const json = (value: unknown): Answer => ({ status: 200, body: JSON.stringify(value) })

/** A Quay with one repository of that many tags, which are nowhere kept. */
async function generated(count: number) {
  const { server } = await scriptedRegistry(({ url }) => {
    const { pathname, searchParams } = new URL(url, 'http://x')
    if (pathname === '/api/v1/repository')
      return json({ repositories: [{ namespace: 'team', name: 'app', kind: 'image' }] })
    if (pathname !== '/api/v1/repository/team/app/tag/') return undefined
    const page = Number(searchParams.get('page'))
    const tags = Array.from({ length: Math.min(PAGE, count - (page - 1) * PAGE) }, (_, index) => ({
      name: `v1.${(page - 1) * PAGE + index}.0`,
      manifest_digest: DIGEST,
      size: 1000,
      start_ts: 1_700_000_000,
    }))
    return json({ tags, page, has_additional: page * PAGE < count })
  })
  return server
}

function start(host: string, stdio: 'pipe' | number): ChildProcess {
  const child = spawn(process.execPath, [BIN, `docker://${host}/team`, '--api', 'quay', '--summary'], {
    stdio: ['ignore', stdio, 'pipe'],
    env: { PATH: process.env.PATH, HOME: '/nonexistent', CARRYALL_API_TOKEN: 'token-0123456789' },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

/** Runs to the end; gives the number of lines, the last of them, and the most memory that was taken in MiB. */
async function measured(count: number) {
  const child = start((await generated(count)).host, 'pipe')
  const closed = once(child, 'close')
  let [lines, last, most] = [0, '', 0]
  for await (const line of createInterface(child.stdout!)) {
    lines += 1
    last = line
    if (lines % 500 !== 0) continue
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '')
    most = Math.max(most, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024)
  }
  const [exit] = await closed
  return { lines, listing: JSON.parse(last) as Record<string, unknown>, most, exit: exit as number }
}

test('100,000 tags go by: memory grows by their names, not by what is told of them', async () => {
  const few = await measured(2000)
  const many = await measured(100_000)
  expect(few).toMatchObject({ exit: 0, lines: 2001 })
  expect(many).toMatchObject({ exit: 0, lines: 100_001, listing: { images: 100_000, complete: true } })
  expect(many.most).toBeLessThan(250)
  expect(many.most - few.most).toBeLessThan(100)
}, 120_000)

test('a reader that has seen enough ends it, quietly', async () => {
  const server = await generated(1_000_000)
  const child = start(server.host, 'pipe')
  let stderr = ''
  child.stderr!.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const closed = once(child, 'close')
  await once(child.stdout!, 'data')
  child.stdout!.destroy()
  expect(await closed).toEqual([141, null])
  expect(stderr).toBe('')
  expect(server.requests.length).toBeLessThan(5000)
}, 60_000)

test('what was asked for ahead is no failure then', async () => {
  const names = Array.from({ length: 40 }, (_, index) => `app-${index}`)
  const server = createServer(({ url = '' }, response) => {
    const answer = (value: unknown): unknown => response.end(JSON.stringify(value))
    if (url === '/v2/') return answer({})
    if (url.startsWith('/v2/_catalog')) return answer({ repositories: names })
    const name = /^\/v2\/(.+)\/tags\/list/.exec(url)?.[1]
    // The reader has gone when the second is written, and the others are still on their way.
    setTimeout(() => answer({ name, tags: ['1.0'] }), [0, 300][names.indexOf(name!)] ?? 3000)
  })
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const child = spawn(
    'bash',
    [
      '-c',
      `"$0" "$1" --retry-times 0 docker://127.0.0.1:${port} | head -n 1; exit "\${PIPESTATUS[0]}"`,
      process.execPath,
      BIN,
    ],
    { env: { PATH: process.env.PATH, HOME: '/nonexistent' }, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  onTestFinished(() => void child.kill('SIGKILL'))
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  expect(await once(child, 'close')).toEqual([141, null])
  expect(stderr).toBe('')
}, 60_000)
