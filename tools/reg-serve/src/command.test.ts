import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { runInProcess } from '@carryall/cli/testing'
import { openLayout } from '@carryall/oci'
import { pushSample, sampleImage } from '@carryall/oci/testing'
import { hashSync } from 'bcryptjs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { command } from './command.ts'
import { RegistryClient } from './testing/conformance/client.ts'
import { makeCertificate } from './testing/make-certificate.ts'

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

test('an OCI archive is served as it was when it was opened, read-only', async () => {
  const image = sampleImage('in a tar', { layers: [2_500_000] })
  const layout = await openLayout(join(directory, 'layout'), { write: true })
  await pushSample(layout, 'app', image, 'v1')
  await layout.close()
  await promisify(execFile)('tar', ['-cf', 'app.tar', '-C', 'layout', 'oci-layout', 'index.json', 'blobs'], {
    cwd: directory,
  })
  await serving(['app.tar'], async (url) => {
    await rm(join(directory, 'app.tar'))
    await writeFile(join(directory, 'app.tar'), 'something else')
    expect(await (await fetch(`${url}/v2/_catalog`)).json()).toEqual({ repositories: ['app'] })
    const manifest = await fetch(`${url}/v2/app/manifests/v1`)
    expect(Buffer.from(await manifest.arrayBuffer())).toEqual(image.manifest.bytes)
    for (const { descriptor, bytes } of image.blobs) {
      const part = await fetch(`${url}/v2/app/blobs/${descriptor.digest}`, { headers: { range: 'bytes=1-' } })
      expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(1))).toBe(true)
    }
    expect((await fetch(`${url}/v2/app/blobs/uploads/`, { method: 'POST' })).status).toBe(405)
  })
})

test('a content directory is served read-only', async () => {
  await mkdir(join(directory, 'content', '.carryall'), { recursive: true })
  await serving(['content'], async (url) => {
    expect(await (await fetch(`${url}/v2/_catalog`)).json()).toEqual({ repositories: [] })
    expect((await fetch(`${url}/v2/app/blobs/uploads/`, { method: 'POST' })).status).toBe(405)
  })
  expect(await readdir(join(directory, 'content'))).toEqual(['.carryall'])
})

test('for the network: users log in over TLS, and what changes is taken over', async () => {
  const files = await makeCertificate(directory)
  await writeFile(join(directory, 'users'), `alice:${hashSync('secret', 4)}\n`)
  const secured = ['--tls-cert', 'server.crt', '--tls-key', 'server.key', '--htpasswd', 'users']
  const ran = await serving(['layout', ...secured], async (url) => {
    const { port } = new URL(url)
    const ask = async (login: string) => {
      const client = new RegistryClient({
        url: `https://127.0.0.1:${port}`,
        ca: await readFile(files.cert),
        authorization: `Basic ${Buffer.from(login).toString('base64')}`,
      })
      const asked = client.call('POST', '/v2/app/blobs/uploads/').then(({ status }) => status)
      return asked.catch((error: unknown) => error).finally(() => client.close())
    }
    expect([await ask('alice:secret'), await ask('bob:other')]).toEqual([202, 401])
    await makeCertificate(directory)
    await writeFile(join(directory, 'users'), `bob:${hashSync('other', 4)}\n`)
    await expect.poll(() => ask('bob:other'), { timeout: 10_000, interval: 500 }).toBe(202)
    expect(await ask('alice:secret')).toBe(401)
    await writeFile(join(directory, 'users'), 'bob:other\n')
    await new Promise((resolve) => setTimeout(resolve, 2500))
    expect(await ask('bob:other')).toBe(202)
  })
  expect(ran.exit).toBe(143)
  expect(ran.stderr).toContain('https://127.0.0.1:')
  expect(ran.stderr).toContain('line 1')
})

test('off loopback, without TLS and logins, a layout is there for pulls', async () => {
  const writer = await openLayout(join(directory, 'layout'), { write: true })
  await pushSample(writer, 'app', sampleImage('for all'), 'v1')
  await writer.close()
  const before = await readdir(join(directory, 'layout'))
  const ran = await serving(['layout', '--address', '0.0.0.0:0'], async (url) => {
    expect((await fetch(`${url}/v2/app/manifests/v1`)).status).toBe(200)
    const pushed = await fetch(`${url}/v2/app/blobs/uploads/`, { method: 'POST' })
    expect([pushed.status, await pushed.json()]).toMatchObject([405, { errors: [{ code: 'UNSUPPORTED' }] }])
  })
  expect(ran.exit).toBe(143)
  expect(ran.stderr).toContain('warn')
  expect(await readdir(join(directory, 'layout'))).toEqual(before)
})

test.each([
  ['nothing to pull where pushes are refused', ['--address', '0.0.0.0:0'], 78, 'CONFIG_UNSUPPORTED'],
  [
    'logins in the clear',
    ['new', '--address', '0.0.0.0:0', '--htpasswd', 'users'],
    77,
    'NET_PLAIN_HTTP_REFUSED',
  ],
  ['a certificate without a key', ['new', '--tls-cert', 'server.crt'], 64, 'USAGE_CONFLICT'],
  ['a certificate that is not there', ['new', '--tls-cert', 'x', '--tls-key', 'y'], 66, 'INPUT_NOT_FOUND'],
  ['a password file that is not there', ['new', '--htpasswd', 'users'], 66, 'INPUT_NOT_FOUND'],
  ['a password file with other hashes', ['new', '--htpasswd', 'other/notes.txt'], 78, 'AUTH_FILE_INVALID'],
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
