import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { redact } from '@carryall/errors'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { askHelper } from './credential-helper.ts'
import { loadCredentials } from './credentials.ts'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'helper-'))
  await mkdir(join(home, 'bin'))
})
afterEach(() => rm(home, { recursive: true }))

/** A helper that notes what it was given, and then does as told. */
async function helper(name: string, script: string): Promise<void> {
  const path = join(home, 'bin', `docker-credential-${name}`)
  const note = `{ echo "$*"; cat; echo; env | cut -d= -f1 | sort | tr '\\n' ' '; echo; } >>'${home}/${name}.log'`
  await writeFile(path, `#!/bin/sh\n${note}\n${script}\n`)
  await chmod(path, 0o755)
}

const says = (answer: object) => `cat <<'END'\n${JSON.stringify(answer)}\nEND`
const env = () => ({
  HOME: home,
  PATH: `${join(home, 'bin')}:/usr/bin:/bin`,
  XDG_RUNTIME_DIR: join(home, 'run'),
})
const ask = (name: string, host = 'a.example:5000', more = {}) =>
  askHelper(name, host, { file: 'config.json', env: { ...env(), ...more } })
const seen = async (name: string) => (await readFile(join(home, `${name}.log`), 'utf8')).split('\n')

async function config(document: object): Promise<string> {
  const path = join(home, 'config.json')
  await writeFile(path, JSON.stringify(document), { mode: 0o600 })
  return path
}

test('a helper is asked by "get" with the host on stdin, and what it says is masked', async () => {
  await helper('store', says({ ServerURL: 'x', Username: 'me', Secret: 'canary from a helper' }))
  expect(await ask('store')).toEqual({ username: 'me', password: 'canary from a helper' })
  expect((await seen('store')).slice(0, 2)).toEqual(['get', 'a.example:5000'])
  expect(redact('canary from a helper')).toBe('***')
})

test('it gets of the environment what it needs to find its store', async () => {
  await helper('store', says({ Username: 'me', Secret: 'word' }))
  const more = {
    DOCKER_CONFIG: '/d',
    DBUS_SESSION_BUS_ADDRESS: 'unix:',
    XDG_DATA_HOME: '/x',
    AWS_SECRET_ACCESS_KEY: 's',
  }
  await ask('store', 'a.example', { ...more, CARRYALL_SRC_API_TOKEN: 't' })
  const names = new Set((await seen('store'))[2]!.trim().split(' '))
  // What the shell itself sets is not of interest.
  for (const own of ['PWD', 'OLDPWD', 'SHLVL', '_']) names.delete(own)
  expect([...names]).toEqual([
    'DBUS_SESSION_BUS_ADDRESS',
    'DOCKER_CONFIG',
    'HOME',
    'LC_ALL',
    'PATH',
    'XDG_DATA_HOME',
    'XDG_RUNTIME_DIR',
  ])
})

test('an identity token, no credential, an empty one', async () => {
  await helper('token', says({ Username: '<token>', Secret: 'identity' }))
  await helper('none', 'echo "credentials not found in native keychain"; exit 1')
  await helper('empty', says({ Username: '', Secret: '' }))
  expect(await ask('token')).toEqual({ identityToken: 'identity' })
  expect(await ask('none')).toBeUndefined()
  expect(await ask('empty')).toBeUndefined()
})

test('Docker Hub is asked for by the address that docker logs in to', async () => {
  await helper('hub', says({ Username: 'me', Secret: 'word' }))
  await ask('hub', 'docker.io')
  expect((await seen('hub'))[1]).toBe('https://index.docker.io/v1/')
})

test.each([
  [
    'locked',
    'echo "the keyring is locked"; exit 1',
    { code: 'EXEC_FAILED', exit: 69, details: { actual: 1 } },
  ],
  ['broken', 'echo "no bus" >&2; exit 3', { code: 'EXEC_FAILED', exit: 69, details: { actual: 3 } }],
  ['prose', 'echo "logged in"', { code: 'LOGIN_FAILED', exit: 77 }],
  ['partial', says({ Username: 'me' }), { code: 'LOGIN_FAILED' }],
])('a helper that is %s is an error', async (name, script, expected) => {
  await helper(name, script)
  await expect(ask(name)).rejects.toMatchObject(expected)
})

test('what a failing helper says is not shown where it may be the secret', async () => {
  await helper('leaky', `${says({ Username: 'me', Secret: 'leaked' })}; exit 1`)
  await helper('odd', `printf '{"Username": 7, "Secret": "leaked"}'`)
  for (const name of ['leaky', 'odd'])
    expect(JSON.stringify(await ask(name).catch((error: Error) => [error.message, error]))).not.toContain(
      'leaked',
    )
})

test('a helper that is not there is EXEC_NOT_FOUND, one with another name AUTH_FILE_INVALID', async () => {
  await expect(ask('nowhere')).rejects.toMatchObject({ code: 'EXEC_NOT_FOUND' })
  for (const name of ['../../bin/sh', 'a b', '', 'x;y'])
    await expect(ask(name)).rejects.toMatchObject({ code: 'AUTH_FILE_INVALID' })
})

test('a signal ends it', async () => {
  await helper('slow', 'exec sleep 60')
  const controller = new AbortController()
  const asked = askHelper('slow', 'a', { file: 'f', env: env(), signal: controller.signal })
  const stopped = new Error('stopped')
  setTimeout(() => controller.abort(stopped), 50)
  await expect(asked).rejects.toBe(stopped)
})

test("the host's helper comes first, then what is written down, then the helper for all", async () => {
  await helper('own', says({ Username: 'own', Secret: 'word' }))
  await helper('all', says({ Username: 'all', Secret: 'word' }))
  await helper('none', 'echo "credentials not found"; exit 1')
  const auth = Buffer.from('written:word').toString('base64')
  const authfile = await config({
    auths: { 'a.example': { auth }, 'b.example': { auth }, 'c.example': { auth }, 'd.example': {} },
    credHelpers: { 'a.example': 'own', 'c.example': 'none' },
    credsStore: 'all',
  })
  const { find } = await loadCredentials({ authfile, env: env() })
  const users = ['a.example', 'b.example', 'c.example', 'd.example', 'e.example'].map(async (host) => {
    const found = await find(host, 'ns/app')
    return found && 'username' in found ? found.username : undefined
  })
  expect(await Promise.all(users)).toEqual(['own', 'written', 'written', 'all', 'all'])
})

test('it is run once for each registry', async () => {
  await helper('own', says({ Username: 'own', Secret: 'word' }))
  const { find } = await loadCredentials({ authfile: await config({ credsStore: 'own' }), env: env() })
  await Promise.all(['x', 'y', 'z'].map((repository) => find('a.example', repository)))
  await find('b.example')
  expect((await seen('own')).filter((line) => line === 'get')).toHaveLength(2)
})
