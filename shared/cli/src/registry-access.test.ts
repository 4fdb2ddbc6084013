import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import type { Command, Context } from './command.ts'
import { defineVerb } from './define-verb.ts'
import type { Terminal } from './host.ts'
import { registryAccess } from './registry-access.ts'
import { connectionFlags, registryFlags } from './registry-flags.ts'
import { runInProcess, type RunOptions } from './testing/index.ts'

const base = {
  summary: 'Say what a connection gets',
  operands: { synopsis: '[HOST...]', min: 0, max: 9 },
  reads: [],
  writes: [],
  effects: false,
  examples: [],
} as const

const shown = async (access: Promise<object>) => ({
  items: [{ document: { apiVersion: 'carryall/v1', kind: 'Access', ...(await access), env: undefined } }],
})

const both = { ...registryFlags('src'), ...registryFlags('dest'), ...connectionFlags }
const tool: Command = {
  name: 'access',
  version: '1.0.0',
  summary: base.summary,
  verbs: [
    defineVerb({
      ...base,
      name: 'src',
      flags: both,
      run: (context: Context, flags, hosts) => shown(registryAccess(context, flags, 'src', hosts)),
    }),
    defineVerb({
      ...base,
      name: 'dest',
      flags: both,
      run: (context: Context, flags, hosts) => shown(registryAccess(context, flags, 'dest', hosts)),
    }),
    defineVerb({
      ...base,
      name: 'one',
      flags: { ...connectionFlags, ...registryFlags('') },
      run: (context: Context, flags, hosts) => shown(registryAccess(context, flags, '', hosts)),
    }),
  ],
}

const run = (argv: readonly string[], options: RunOptions = {}) =>
  runInProcess(tool, argv, { cwd: '/work', ...options })

async function access(argv: readonly string[], options?: RunOptions): Promise<Record<string, unknown>> {
  const ran = await run(argv, options)
  expect(ran.stderr).toBe('')
  return ran.documents[0]!
}

const refused = async (argv: readonly string[], options?: RunOptions) => {
  const { exit, stderr } = await run([...argv, '--log-format', 'json'], options)
  const { code } = JSON.parse(stderr.split('\n')[0]!) as { code: string }
  return [exit, code]
}

test('without a flag: everything as it is usual', async () => {
  expect(await access(['src', 'a.example'])).toMatchObject({
    userAgent: 'access/1.0.0',
    tlsVerify: true,
    plainHttp: [],
    allowedRealms: [],
    retry: {},
    hosts: { 'a.example': {} },
    mirrors: {},
  })
})

test('the flags of each side, and of all, with paths from the working directory', async () => {
  const argv = [
    '--authfile',
    'all.json',
    '--dest-authfile',
    'dest.json',
    '--src-ca-file',
    '/ca',
    '--retry-times',
    '2',
    '--retry-delay',
    '3',
    '--plain-http',
    'p.example',
    '--allow-realm',
    'r.example',
    '--dest-tls-verify=false',
  ]
  expect(await access(['src', ...argv])).toMatchObject({
    authfile: '/work/all.json',
    caFile: '/ca',
    tlsVerify: true,
    plainHttp: ['p.example'],
    allowedRealms: ['r.example'],
    retry: { times: 2, delayMs: 3000 },
  })
  expect(await access(['dest', ...argv])).toMatchObject({ authfile: '/work/dest.json', tlsVerify: false })
  expect(await access(['one', '--authfile', 'one.json'])).toMatchObject({ authfile: '/work/one.json' })
})

test('mirrors are for what is read', async () => {
  const mirrors = async (...argv: string[]) => (await access(argv))['mirrors']
  expect(await mirrors('src', '--registries-conf', 'r.conf')).toEqual({ file: '/work/r.conf' })
  expect(await mirrors('one')).toEqual({})
  expect(await mirrors('src', '--registries-conf', 'none')).toBeUndefined()
  expect(await mirrors('dest', '--registries-conf', 'r.conf')).toBeUndefined()
})

test('who we are is for the one registry that is named', async () => {
  const argv = [
    '--src-username',
    'me',
    '--src-password-file',
    'pw',
    '--src-cert',
    'c',
    '--src-key',
    'k',
    '--src-api-token-file',
    't',
  ]
  expect((await access(['src', ...argv, 'a.example:5000', 'a.example:5000']))['hosts']).toEqual({
    'a.example:5000': {
      username: 'me',
      passwordFile: '/work/pw',
      clientCert: '/work/c',
      clientKey: '/work/k',
      apiTokenFile: '/work/t',
    },
  })
  expect((await access(['dest', ...argv, 'b.example']))['hosts']).toEqual({ 'b.example': {} })
  expect(await refused(['src', ...argv])).toEqual([64, 'USAGE_CONFLICT'])
  expect(await refused(['src', ...argv, 'a.example', 'b.example'])).toEqual([64, 'USAGE_CONFLICT'])
})

test('a password from stdin, less the line end', async () => {
  const argv = ['src', 'a.example', '--src-username', 'me', '--src-password-stdin']
  expect((await access(argv, { stdin: ' my word \n' }))['hosts']).toEqual({
    'a.example': { username: 'me', password: ' my word ' },
  })
  expect(await refused(argv, { stdin: '\n' })).toEqual([66, 'INPUT_EMPTY'])
  const used = Readable.from(['word'])
  for await (const _ of used);
  expect(await refused(argv, { stdin: used })).toEqual([64, 'USAGE_CONFLICT'])
})

test('a password that is typed', async () => {
  let prompt = ''
  const terminal = (): Terminal => ({
    input: Readable.from([Buffer.from('typed word\r')]),
    write: (text) => void (prompt += text),
    close: () => {},
  })
  expect((await access(['one', 'a.example', '--username', 'me'], { terminal }))['hosts']).toEqual({
    'a.example': { username: 'me', password: 'typed word' },
  })
  expect(prompt).toContain('me at a.example')
  expect(await refused(['one', 'a.example', '--username', 'me'])).toEqual([64, 'USAGE_MISSING_OPERAND'])
})

test('a token from the environment is for one registry and is not asked for where there are several', async () => {
  const env = { CARRYALL_SRC_API_TOKEN: 'source token', CARRYALL_API_TOKEN: 'the token' }
  expect((await access(['src', 'a.example'], { env }))['hosts']).toEqual({
    'a.example': { apiToken: 'source token' },
  })
  expect((await access(['one', 'a.example'], { env }))['hosts']).toEqual({
    'a.example': { apiToken: 'the token' },
  })
  expect((await access(['dest', 'a.example'], { env }))['hosts']).toEqual({ 'a.example': {} })
  expect((await access(['src', 'a.example', 'b.example'], { env }))['hosts']).toEqual({})
})

test.each([
  [['--src-password-file', 'pw']],
  [['--src-password-stdin']],
  [['--src-username', 'me', '--src-password-stdin', '--src-password-file', 'pw']],
  [['--src-cert', 'c']],
  [['--src-key', 'k']],
])('%j is USAGE_CONFLICT', async (argv) => {
  expect(await refused(['src', 'a.example', ...argv])).toEqual([64, 'USAGE_CONFLICT'])
})

test('what weakens a check is taken from the command line only, secrets never', async () => {
  for (const name of ['SRC_TLS_VERIFY', 'PLAIN_HTTP', 'ALLOW_REALM'])
    expect((await refused(['src'], { env: { [`CARRYALL_${name}`]: 'false' } }))[0]).toBe(78)
  for (const flag of ['--src-password', '--src-api-token', '--src-creds'])
    expect(await refused(['src', flag, 'x'])).toEqual([64, 'USAGE_UNKNOWN_FLAG'])
  const { authfile } = await access(['src'], { env: { CARRYALL_SRC_AUTHFILE: 'env.json' } })
  expect(authfile).toBe(resolve('/work/env.json'))
})
