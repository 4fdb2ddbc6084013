import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { redact } from '@carryall/errors'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ANONYMOUS, loadCredentials } from './credentials.ts'
import type { HostSettings } from './host-settings.ts'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'credentials-'))
})
afterEach(() => rm(home, { recursive: true }))

const env = () => ({ HOME: home, XDG_RUNTIME_DIR: join(home, 'run') })
const auth = (user: string, password = `password of ${user}`) => ({
  auth: Buffer.from(`${user}:${password}`).toString('base64'),
})

async function write(path: string, document: unknown, mode = 0o600): Promise<string> {
  const file = join(home, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, typeof document === 'string' ? document : JSON.stringify(document))
  await chmod(file, mode)
  return file
}

const users = async (found: readonly Promise<unknown>[]) =>
  (await Promise.all(found)).map((each) => (each as { username?: string } | undefined)?.username)

test('the most specific key of the first file that has one', async () => {
  await write('run/containers/auth.json', {
    auths: { 'a.example/ns/repo': auth('repo'), 'a.example/ns': auth('ns'), 'a.example': auth('host') },
  })
  await write('.config/containers/auth.json', {
    auths: { 'a.example/ns/repo/deep': auth('second'), 'b.example:5000': auth('b') },
  })
  await write('.docker/config.json', {
    auths: { 'b.example:5000': auth('late'), 'https://index.docker.io/v1/': auth('hub') },
  })
  const { find } = await loadCredentials({ env: env() })
  expect(
    await users([
      find('a.example', 'ns/repo'),
      find('a.example', 'ns/repo/deep'),
      find('a.example', 'ns/other'),
      find('a.example', 'nsx'),
      find('a.example'),
      find('A.example'),
      find('b.example:5000', 'x'),
      find('b.example', 'x'),
      find('docker.io', 'library/x'),
      find('registry-1.docker.io'),
    ]),
  ).toEqual(['repo', 'repo', 'ns', 'host', 'host', 'host', 'b', undefined, 'hub', 'hub'])
})

test('keys are taken with a scheme and a path of Docker’s, too', async () => {
  await write('.docker/config.json', {
    auths: { 'https://a.example/v2/': auth('a'), 'http://b.example': auth('b'), 'c.example/': auth('c') },
  })
  const { find } = await loadCredentials({ env: env() })
  const found = ['a.example', 'b.example', 'c.example'].map((host) => find(host))
  expect(await users(found)).toEqual(['a', 'b', 'c'])
})

test('--authfile or $REGISTRY_AUTH_FILE is the only file then, and has to be there', async () => {
  await write('.docker/config.json', { auths: { 'a.example': auth('docker') } })
  const one = await write('one.json', { auths: { 'b.example': auth('one') } })
  const two = await write('two.json', { auths: { 'b.example': auth('two') } })
  const both = { ...env(), REGISTRY_AUTH_FILE: one }
  const first = await loadCredentials({ env: both })
  const second = await loadCredentials({ env: both, authfile: two })
  expect(await users([first.find('b.example'), first.find('a.example'), second.find('b.example')])).toEqual([
    'one',
    undefined,
    'two',
  ])
  await expect(loadCredentials({ env: env(), authfile: join(home, 'none') })).rejects.toMatchObject({
    code: 'INPUT_NOT_FOUND',
  })
})

test('directories from the environment', async () => {
  await write('xdg/containers/auth.json', { auths: { 'a.example': auth('xdg') } })
  await write('dc/config.json', { auths: { 'b.example': auth('dc') } })
  const { find } = await loadCredentials({
    env: { ...env(), XDG_CONFIG_HOME: join(home, 'xdg'), DOCKER_CONFIG: join(home, 'dc') },
  })
  expect(await users([find('a.example'), find('b.example')])).toEqual(['xdg', 'dc'])
})

test('a password with colons, a user and password in the clear, an identity token, nothing', async () => {
  await write('.docker/config.json', {
    auths: {
      a: auth('u', 'p:q:r'),
      b: { username: 'u', password: 'clear' },
      c: { ...auth('ignored'), identitytoken: 'identity' },
      d: auth('<token>', 'other identity'),
      e: {},
    },
  })
  const { find } = await loadCredentials({ env: env() })
  expect(await Promise.all(['a', 'b', 'c', 'd', 'e'].map((host) => find(host)))).toEqual([
    { username: 'u', password: 'p:q:r' },
    { username: 'u', password: 'clear' },
    { identityToken: 'identity' },
    { identityToken: 'other identity' },
    undefined,
  ])
})

test('every secret is masked from then on', async () => {
  await write('.docker/config.json', {
    auths: { a: auth('u', 'canary-password'), b: { identitytoken: 'second-canary' } },
  })
  await loadCredentials({ env: env() })
  const shown = redact(`canary-password second-canary ${auth('u', 'canary-password').auth}`)
  expect(shown).toBe('*** *** ***')
})

test('a file that others may read is refused only where it holds secrets', async () => {
  await write('.docker/config.json', { auths: { a: {} }, credsStore: 'desktop' }, 0o644)
  expect((await loadCredentials({ env: env() })).describe('a')).toContain('docker-credential-desktop')
  await write('.docker/config.json', { auths: { a: auth('u') } }, 0o644)
  await expect(loadCredentials({ env: env() })).rejects.toMatchObject({
    code: 'FILE_MODE_UNSAFE',
    exit: 77,
    details: { actual: '0644' },
  })
})

test.each([
  ['{', '#'],
  ['[]', '#'],
  ['null', '#'],
  [{ auths: [] }, '#/auths'],
  [{ auths: { 'a/b': 'x' } }, '#/auths/a~1b'],
  [{ auths: { a: { auth: 'bm8gY29sb24=' } } }, '#/auths/a/auth'],
  [{ credHelpers: 7 }, '#/credHelpers'],
])('%j is AUTH_FILE_INVALID at %s', async (document, pointer) => {
  await write('.docker/config.json', document)
  await expect(loadCredentials({ env: env() })).rejects.toMatchObject({
    code: 'AUTH_FILE_INVALID',
    exit: 78,
    details: { pointer },
  })
})

test('without any file everyone is anonymous, and the hint says where was looked', async () => {
  const credentials = await loadCredentials({ env: env() })
  expect(await credentials.find('a.example', 'x')).toBeUndefined()
  for (const path of ['run/containers/auth.json', '.config/containers/auth.json', '.docker/config.json']) {
    expect(credentials.describe('a.example')).toContain(join(home, path))
  }
  expect(await ANONYMOUS.find('a.example')).toBeUndefined()
})

test('what is said of a registry beats the files, and its password is read when it is needed', async () => {
  const common = await write('common.json', { auths: { a: auth('file'), b: auth('file'), c: auth('file') } })
  const own = await write('own.json', { auths: { c: auth('own') } })
  const passwordFile = await write('password', 'first line\nsecond')
  const said: Record<string, HostSettings> = {
    a: { username: 'given', password: 'word' },
    b: { username: 'given', passwordFile },
    c: { authfile: own },
    d: { username: 'given', passwordFile: join(home, 'none') },
  }
  const settings = (host: string) => said[host] ?? {}
  const { find } = await loadCredentials({ env: env(), authfile: common, settings })
  expect(await Promise.all(['a', 'b', 'c'].map((host) => find(host)))).toEqual([
    { username: 'given', password: 'word' },
    { username: 'given', password: 'first line' },
    { username: 'own', password: 'password of own' },
  ])
  await expect(find('d')).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' })
})
