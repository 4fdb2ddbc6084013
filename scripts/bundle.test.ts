import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'

const run = promisify(execFile)
const BUNDLE = join(import.meta.dirname, 'bundle.ts')
let tool: string

beforeEach(async () => {
  tool = join(await mkdtemp(join(tmpdir(), 'carryall bundle ')), 'a-tool')
  await write(
    'node_modules/undici/index.js',
    'process.stdout.write("loaded "); exports.fetch = () => "fetched"',
  )
})

afterEach(() => rm(dirname(tool), { recursive: true }))

async function write(path: string, text: string): Promise<void> {
  const file = join(tool, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
}

test('a bundle is one executable file that loads a heavy package when it is asked to', async () => {
  await write(
    'src/later.ts',
    `import { fetch } from 'undici'\nexport const later = (): void => console.log(fetch('x'))`,
  )
  await write(
    'src/bin.ts',
    `#!/usr/bin/env node\nconsole.log('started')\nif (process.argv[2] === 'go') void import('./later.ts').then((m) => m.later())`,
  )
  await run(process.execPath, [BUNDLE, tool])
  const file = join(tool, 'dist/a-tool.cjs')
  await rm(join(tool, 'src'), { recursive: true })
  await rm(join(tool, 'node_modules'), { recursive: true })
  expect((await stat(file)).mode & 0o777).toBe(0o755)
  expect((await run(file)).stdout).toBe('started\n')
  expect((await run(file, ['go'])).stdout).toBe('started\nloaded fetched\n')
})

test('a bundle that would load a heavy package at its start is refused, with the way that leads to it', async () => {
  await write('src/early.ts', `import { fetch } from 'undici'\nexport const early = fetch`)
  await write('src/index.ts', `export { early } from './early.ts'`)
  await write('src/bin.ts', `import { early } from './index.ts'\nconsole.log(early('x'))`)
  await expect(run(process.execPath, [BUNDLE, tool])).rejects.toMatchObject({
    stderr: expect.stringMatching(
      /src\/bin\.ts > .*src\/index\.ts > .*src\/early\.ts > .*node_modules\/undici\/index\.js/,
    ),
  })
  await expect(stat(join(tool, 'dist'))).rejects.toMatchObject({ code: 'ENOENT' })
})

test('a bundle that asks where its source is, which a bundle does not know, is refused', async () => {
  await write('src/bin.ts', `console.log(import.meta.dirname)`)
  await expect(run(process.execPath, [BUNDLE, tool])).rejects.toMatchObject({
    stderr: expect.stringContaining('import.meta'),
  })
})
