import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runInProcess } from '@carryall/cli/testing'
import { openLayout } from '@carryall/oci'
import { pushSample, sampleImage } from '@carryall/oci/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { command } from './command.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'reg-serve-'))
})
afterEach(() => rm(directory, { recursive: true }))

/** Runs the command until `use` is done with the server's address, then stops it as SIGTERM does. */
async function serving(argv: readonly string[], use: (url: string) => Promise<void>) {
  const portFile = join(directory, 'port')
  let stop: (() => void) | undefined
  const running = runInProcess(command, ['--address', '127.0.0.1:0', '--port-file', portFile, ...argv], {
    cwd: directory,
    signals: (send) => (stop = () => send('SIGTERM')),
  })
  try {
    await expect
      .poll(() => readFile(portFile, 'utf8').catch(() => ''), { timeout: 10_000 })
      .toMatch(/^\d+\n$/)
    await use(`http://127.0.0.1:${(await readFile(portFile, 'utf8')).trim()}`)
  } finally {
    stop?.()
  }
  return running
}

test('a new directory becomes a layout that takes pushes and outlives the server', async () => {
  const ran = await serving(['new/layout'], async (url) => {
    const pushed = await fetch(
      `${url}/v2/app/blobs/uploads/?digest=sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae`,
      { method: 'POST', body: 'foo' },
    )
    expect(pushed.status).toBe(201)
    await expect(openLayout(join(directory, 'new/layout'), { write: true })).rejects.toMatchObject({
      code: 'LOCK_HELD',
    })
  })
  expect(ran).toMatchObject({ exit: 143, stdout: '' })
  expect(ran.stderr).toContain('http://127.0.0.1:')
  expect(await readdir(directory)).toEqual(['new'])
  const store = await openLayout(join(directory, 'new/layout'), { write: true })
  expect(
    await store.hasBlob('app', 'sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae'),
  ).toBe(true)
  await store.close()
})

test('a layout is served read-only beside its writer', async () => {
  const writer = await openLayout(join(directory, 'layout'), { write: true })
  await pushSample(writer, 'app', sampleImage('beside'), 'v1')
  const ran = await serving(['layout', '--read-only'], async (url) => {
    expect((await fetch(`${url}/v2/app/manifests/v1`)).status).toBe(200)
    await pushSample(writer, 'app', sampleImage('later'), 'v2')
    expect((await fetch(`${url}/v2/app/manifests/v2`)).status).toBe(200)
    expect((await fetch(`${url}/v2/app/blobs/uploads/`, { method: 'POST' })).status).toBe(405)
  })
  expect(ran.exit).toBe(143)
  await writer.close()
})

test('a content directory is served read-only', async () => {
  await mkdir(join(directory, 'content', '.carryall'), { recursive: true })
  await serving(['content'], async (url) => {
    expect(await (await fetch(`${url}/v2/_catalog`)).json()).toEqual({ repositories: [] })
    expect((await fetch(`${url}/v2/app/blobs/uploads/`, { method: 'POST' })).status).toBe(405)
  })
  expect(await readdir(join(directory, 'content'))).toEqual(['.carryall'])
})

test.each([
  ['another address', ['--address', '0.0.0.0:5000'], 78, 'CONFIG_UNSUPPORTED'],
  ['no address', ['--address', '5000'], 64, 'USAGE_BAD_VALUE'],
  ['a directory with other files', ['other'], 73, 'OUTPUT_EXISTS'],
  ['a read-only directory that is not there', ['absent', '--read-only'], 66, 'INPUT_NOT_FOUND'],
  ['two directories', ['a', 'b'], 64, 'USAGE_EXTRA_OPERAND'],
])('%s is refused', async (_what, argv, exit, code) => {
  await mkdir(join(directory, 'other'))
  await writeFile(join(directory, 'other', 'notes.txt'), '')
  const ran = await runInProcess(command, argv, { cwd: directory })
  expect(ran.exit).toBe(exit)
  expect(ran.stderr).toContain(code)
  expect(await readdir(directory)).toEqual(['other'])
})

test.each([
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const)(
  '%s ends the process with its code, quickly, even with a request that hangs',
  async (signal, exit) => {
    const child = spawn(
      'setpriv',
      [
        '--pdeathsig',
        'KILL',
        process.execPath,
        join(import.meta.dirname, 'bin.ts'),
        'layout',
        '--address',
        ':0',
        '--port-file',
        'port',
      ],
      { cwd: directory, stdio: 'pipe' },
    )
    const ended = exitOf(child)
    await expect
      .poll(() => readFile(join(directory, 'port'), 'utf8').catch(() => ''), { timeout: 20_000 })
      .toMatch(/^\d+\n$/)
    const port = (await readFile(join(directory, 'port'), 'utf8')).trim()
    const hanging = fetch(`http://127.0.0.1:${port}/v2/app/blobs/uploads/?digest=sha256:${'0'.repeat(64)}`, {
      method: 'POST',
      body: new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from('never ends')) }),
      duplex: 'half',
    } as RequestInit).catch((error: unknown) => error)
    await expect.poll(async () => (await fetch(`http://127.0.0.1:${port}/v2/`)).status).toBe(200)
    child.kill(signal)
    expect(await ended).toEqual({ exit, stdout: '' })
    expect(await hanging).toBeInstanceOf(Error)
    expect(await readdir(directory)).toEqual(['layout'])
  },
)

async function exitOf(child: ChildProcess): Promise<{ exit: number | null; stdout: string }> {
  let stdout = ''
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr!.resume()
  return new Promise((resolve) => child.once('close', (exit) => resolve({ exit, stdout })))
}
