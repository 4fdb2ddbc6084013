import { execFile, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { startHarbor, startQuay } from '@carryall/catalog/testing'
import { runInProcess } from '@carryall/cli/testing'
import { openLayout } from '@carryall/oci'
import {
  type Answer,
  pushSample,
  refusing,
  sampleImage,
  scriptedRegistry,
  startDockerRegistry,
} from '@carryall/oci/testing'
import { imageKind, listingKind, parseKind } from '@carryall/schemas'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { command } from './command.ts'

const [one, two] = [sampleImage('one'), sampleImage('two')]

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'reg-ls-'))
})
afterEach(() => rm(directory, { recursive: true }))

const list = (argv: readonly string[], options: Parameters<typeof runInProcess>[2] = {}) =>
  runInProcess(command, ['--retry-times', '0', '--log-format', 'json', ...argv], {
    cwd: directory,
    ...options,
  })
const codes = (stderr: string) =>
  stderr
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { level: string; code?: string; message: string })
const file = async (name: string, text: string, mode = 0o600) => {
  await writeFile(join(directory, name), text, { mode })
  return name
}
const layout = async (name = 'layout') => {
  const store = await openLayout(join(directory, name), { write: true })
  await pushSample(store, 'team/app', one, '1')
  await pushSample(store, 'team/app', two, '2')
  await pushSample(store, 'other', one, 'latest')
  await store.close()
}
const json = (value: unknown): Answer => ({ status: 200, body: JSON.stringify(value) })

test('a registry: an Image on each line, a Listing behind the last', async () => {
  await layout()
  await using registry = await startDockerRegistry()
  await promisify(execFile)('skopeo', [
    ...['copy', '--preserve-digests', '--dest-tls-verify=false'],
    ...[`oci:${directory}/layout:team/app:1`, `docker://${registry.host}/team/app:1`],
  ])
  const { exit, documents, stderr } = await list([...[`docker://${registry.host}`, '--digests', '--summary']])
  expect([exit, stderr]).toEqual([0, ''])
  const [image, listing] = documents
  expect(documents.length).toBe(2)
  expect(parseKind(imageKind, image, 'line')).toMatchObject({
    registry: registry.host,
    repository: 'team/app',
    tag: '1',
    digest: one.manifest.digest,
    media_type: one.manifest.mediaType,
  })
  expect(parseKind(listingKind, listing, 'line')).toMatchObject({
    api: 'distribution',
    complete: true,
    filtered: false,
    repositories: 1,
    images: 1,
  })
})

test('a layout and an archive of it: the same, with paths that hold anywhere', async () => {
  await layout()
  const found = await list(['oci:layout', '--exclude-repository', 'other'])
  expect(found.documents).toEqual(
    [one, two].map(({ manifest }, index) => ({
      apiVersion: 'carryall/v1',
      kind: 'Image',
      registry: `oci:${directory}/layout`,
      repository: 'team/app',
      tag: String(index + 1),
      digest: manifest.digest,
      media_type: manifest.mediaType,
    })),
  )
  await promisify(execFile)('tar', ['-C', join(directory, 'layout'), '-cf', join(directory, 'a.tar'), '.'])
  const archived = await list(['oci-archive:a.tar', '--repository', 'team/*'])
  expect(archived.exit).toBe(0)
  expect(archived.documents).toMatchObject(
    [one, two].map(({ manifest }) => ({
      registry: `oci-archive:${directory}/a.tar`,
      repository: 'team/app',
      digest: manifest.digest,
    })),
  )
})

test('filters', async () => {
  await layout()
  const tags = async (...argv: readonly string[]) =>
    (await list(['oci:layout', '--repository', 'team/**', ...argv])).documents.map(({ tag }) => tag)
  expect(await tags('--tag', '[12]', '--exclude-tag', '1')).toEqual(['2'])
  expect(await tags('--tag-regex', '[2-9]')).toEqual(['2'])
  expect(await tags('--newest', '1')).toEqual(['2'])
  expect(await tags('--semver', '*')).toEqual([])
})

test.each([
  [['--tag-regex', '(']],
  [['--semver', 'one']],
  [['--changed-since', 'yesterday']],
  [['--newest', '0']],
  [['--images', '-', '--password-stdin', '--username', 'me']],
])('%j is wrong on the command line', async (argv) => {
  await layout()
  const { exit, stdout } = await list(['oci:layout', ...argv])
  expect([exit, stdout]).toEqual([64, ''])
})

test.each([
  'registry.example',
  'docker://',
  'docker://registry.example/Team',
  'docker://registry.example/a:1',
  'dir:x',
])('%s is nothing that can be listed', async (operand) => {
  expect((await list([operand])).exit).toBe(64)
})

test('Quay by its token: from a file that nobody else can read, from the environment, or not at all', async () => {
  await using quay = await startQuay()
  await layout()
  const creds = `${quay.robot.username}:${quay.robot.password}`
  await promisify(execFile)('skopeo', [
    ...['copy', '--preserve-digests', '--dest-tls-verify=false', '--dest-creds', creds],
    ...[`oci:${directory}/layout:team/app:1`, `docker://${quay.host}/team/app:1`],
  ])
  const token = await file('token', `${quay.apiToken}\n`)
  const place = `docker://${quay.host}/team`
  const expected = [
    { repository: 'team/app', tag: '1', digest: one.manifest.digest, created: expect.any(String) },
  ]
  const given = await list([place, '--api-token-file', token, '--changed-since', '1h'])
  expect([given.exit, given.stderr]).toEqual([0, ''])
  expect(given.documents).toMatchObject(expected)
  const named = await list([place], { env: { CARRYALL_API_TOKEN_FILE: token } })
  expect(named.documents).toMatchObject(expected)
  const bare = await list([place], { env: { CARRYALL_API_TOKEN: quay.apiToken } })
  expect(bare.documents).toMatchObject(expected)

  const none = await list([place, '--api', 'quay'])
  expect([none.exit, codes(none.stderr)[0]?.code]).toEqual([77, 'API_TOKEN_MISSING'])
  const open = await list([place, '--api-token-file', await file('open', quay.apiToken, 0o644)])
  expect([open.exit, codes(open.stderr)[0]?.code]).toEqual([77, 'FILE_MODE_UNSAFE'])
  for (const { stdout, stderr } of [given, named, bare, none, open])
    expect(stdout + stderr).not.toContain(quay.apiToken)
})

test('Harbor by an account', async () => {
  await using harbor = await startHarbor()
  await layout()
  const creds = `${harbor.robot.username}:${harbor.robot.password}`
  await promisify(execFile)('skopeo', [
    ...['copy', '--preserve-digests', '--dest-tls-verify=false', '--dest-creds', creds],
    ...[`oci:${directory}/layout:team/app:1`, `docker://${harbor.host}/library/sub/app:1`],
  ])
  const auths = { [harbor.host]: { auth: Buffer.from(creds).toString('base64') } }
  const authfile = await file('auth.json', JSON.stringify({ auths }))
  const { exit, documents } = await list([
    `docker://${harbor.host}/library`,
    '--authfile',
    authfile,
    '--summary',
  ])
  expect(exit).toBe(0)
  expect(documents).toMatchObject([
    { repository: 'library/sub/app', digest: one.manifest.digest },
    { kind: 'Listing', api: 'harbor', complete: true },
  ])
})

test('what is named: lines, documents, stdin', async () => {
  await layout()
  const lines = await file('lines', '# release 4\nteam/app:2\n\n  other\n')
  const repositories = ({ documents }: { documents: readonly Record<string, unknown>[] }) =>
    documents.map(({ repository, tag }) => `${String(repository)}:${String(tag)}`)
  expect(repositories(await list(['oci:layout', '--images', lines]))).toEqual(['team/app:2', 'other:latest'])
  const { stdout } = await list(['oci:layout', '--tag', '1', '--summary'])
  const again = await list(['oci:layout', '--images', '-', '--summary'], { stdin: stdout })
  expect(repositories(again).slice(0, -1)).toEqual(['team/app:1'])
  expect(again.documents.at(-1)).toMatchObject({ kind: 'Listing', api: 'list', complete: true })
  await layout('elsewhere')
  expect(await list(['oci:elsewhere', '--images', '-'], { stdin: stdout })).toMatchObject({
    exit: 64,
    stdout: '',
  })
  expect((await list(['oci:layout', '--images', '-'], { stdin: '' })).exit).toBe(66)
})

test('what is named and not there: the rest is listed, exit 1', async () => {
  await layout()
  const { exit, documents, stderr } = await list(['oci:layout', '--images', '-', '--summary'], {
    stdin: 'team/app:9\nteam/app:1\n',
  })
  expect(exit).toBe(1)
  expect(documents).toMatchObject([{ tag: '1' }, { kind: 'Listing', complete: false, images: 1 }])
  expect(codes(stderr).map(({ code }) => code)).toEqual(['REG_MANIFEST_UNKNOWN', 'ITEMS_FAILED'])
  expect((await list(['oci:layout', '--images', '-'], { stdin: 'team/app:9' })).exit).toBe(66)
})

test('a repository that cannot be read: the rest is listed, exit 1; nothing but such: why', async () => {
  const answer = (names: readonly string[]) =>
    scriptedRegistry(({ url }) => {
      if (url.startsWith('/v2/_catalog')) return json({ repositories: names })
      if (url.startsWith('/v2/closed/')) return refusing(403, 'DENIED')
      return url.startsWith('/v2/open/') ? json({ tags: ['1'] }) : undefined
    })
  const { server } = await answer(['closed', 'open'])
  const some = await list([`docker://${server.host}`, '--summary'])
  expect(some.exit).toBe(1)
  expect(some.documents).toMatchObject([{ repository: 'open' }, { complete: false }])
  expect(codes(some.stderr).map(({ code }) => code)).toEqual(['AUTH_DENIED', 'ITEMS_FAILED'])
  const none = await list([`docker://${(await answer(['closed'])).server.host}`])
  expect([none.exit, none.stdout]).toEqual([77, ''])
})

test('a registry that breaks the protocol: 76, and the reader is told that the list has no end', async () => {
  const { server } = await scriptedRegistry(({ url }) => {
    if (url.startsWith('/v2/_catalog')) return json({ repositories: ['a', 'b'] })
    return url.startsWith('/v2/a/') ? json({ tags: ['1'] }) : json({ tags: ['../x'] })
  })
  const { exit, documents } = await list([`docker://${server.host}`, '--summary', '--parallel', '1'])
  expect(exit).toBe(76)
  expect(documents.map(({ kind }) => kind)).toEqual(['Image', 'Failure'])
})

test('a table', async () => {
  await layout()
  const { stdout } = await list(['oci:layout', '-o', 'table', '--summary'])
  expect(stdout.split('\n')[0]).toMatch(/^REPOSITORY +TAG +DIGEST/)
  expect(stdout).toContain(one.manifest.digest)
})

test('an empty registry is an empty list', async () => {
  await using registry = await startDockerRegistry()
  const { exit, documents } = await list([`docker://${registry.host}/none`, '--summary'])
  expect(exit).toBe(0)
  expect(documents).toMatchObject([{ kind: 'Listing', images: 0, complete: true, namespace: 'none' }])
})

test('reg-serve, and jq behind it', async () => {
  await layout()
  const port = join(directory, 'port')
  const bin = join(import.meta.dirname, '../../reg-serve/src/bin.ts')
  const served = spawn(
    process.execPath,
    [bin, 'layout', '--read-only', '--address', '127.0.0.1:0', '--port-file', port],
    { cwd: directory, stdio: 'ignore', env: { PATH: process.env.PATH, HOME: '/nonexistent' } },
  )
  onTestFinished(() => void served.kill('SIGKILL'))
  await expect.poll(() => readFile(port, 'utf8').catch(() => ''), { timeout: 20_000 }).toMatch(/^\d+\n$/)
  const host = `127.0.0.1:${(await readFile(port, 'utf8')).trim()}`
  const { exit, stdout } = await list([`docker://${host}/team`, '--digests', '--summary'])
  expect(exit).toBe(0)
  const jq = spawn('jq', ['-r', 'select(.kind == "Image") | "\\(.tag) \\(.digest)"'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  jq.stdin.end(stdout)
  expect(await text(jq.stdout)).toBe(`1 ${one.manifest.digest}\n2 ${two.manifest.digest}\n`)
})
