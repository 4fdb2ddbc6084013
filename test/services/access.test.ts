import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  pushSample,
  sampleImage,
  startDockerRegistry,
  startTokenServer,
  type DockerRegistry,
} from '@carryall/oci/testing'
import { connectStores } from '@carryall/oci'
import { writeConfig } from '../support/config.ts'
import { failure, failureErrors, only } from '../support/ran.ts'
import { mustRun } from '../support/run.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { mirrorSeq, seqPush } from '../support/tools.ts'

const account = { username: 'mirror', password: 'correct horse battery' }
let guarded: DockerRegistry
let open: DockerRegistry
let scratch: Scratch
let authfile: string
let ca: string
let runs = 0

beforeAll(async () => {
  scratch = await makeScratch()
  guarded = await startDockerRegistry({ auth: account, tls: true })
  open = await startDockerRegistry()
  ca = guarded.certificates!.ca
  authfile = scratch.at('auth.json')
  const auth = Buffer.from(`${account.username}:${account.password}`).toString('base64')
  await writeFile(authfile, JSON.stringify({ auths: { [guarded.host]: { auth } } }), { mode: 0o600 })
  const stores = await connectStores({
    env: {},
    userAgent: 'carryall-test',
    authfile,
    caFile: ca,
    tlsVerify: true,
    plainHttp: [],
    allowedRealms: [],
    retry: { times: 0 },
  })
  await pushSample(stores.registry(guarded.host), 'app', sampleImage('guarded'), '1')
  await stores.close()
  await writeConfig(scratch.at('isc.yaml'), [`${guarded.host}/app:1`])
})

afterAll(async () => {
  await guarded.stop()
  await open.stop()
  await scratch[Symbol.asyncDispose]()
})

const mirror = (flags: readonly string[], env: Record<string, string> = {}) =>
  mirrorSeq(
    [
      '-c',
      scratch.at('isc.yaml'),
      '--content',
      scratch.at(`content-${++runs}`),
      '--retry-times',
      '0',
      ...flags,
    ],
    { env },
  )

describe('a registry with TLS and a password', () => {
  test('is read with --authfile and --src-ca-file', async () => {
    expect(only(await mirror(['--authfile', authfile, '--src-ca-file', ca])).result.changed).toBe(true)
  })

  test("is read with podman's and docker's own files and certs.d", async () => {
    const home = scratch.at('home')
    await mkdir(`${home}/.docker`, { recursive: true })
    await copyFile(authfile, `${home}/.docker/config.json`)
    await mkdir(`${home}/.config/containers/certs.d/${guarded.host}`, { recursive: true })
    await copyFile(ca, `${home}/.config/containers/certs.d/${guarded.host}/ca.crt`)
    expect(only(await mirror([], { HOME: home })).result.changed).toBe(true)
    expect(only(await mirror([], { HOME: home, REGISTRY_AUTH_FILE: authfile })).result.changed).toBe(true)
  })

  test('is not trusted without its authority, unless --src-tls-verify=false is on the command line', async () => {
    expect(failure(await mirror(['--authfile', authfile]))).toEqual([69, 'NET_TLS'])
    expect(only(await mirror(['--authfile', authfile, '--src-tls-verify=false'])).result.changed).toBe(true)
    expect(failure(await mirror(['--authfile', authfile], { CARRYALL_SRC_TLS_VERIFY: 'false' }))[0]).not.toBe(
      0,
    )
  })

  test('is not read without credentials; they are not told when they are wrong', async () => {
    expect(failure(await mirror(['--src-ca-file', ca]))).toEqual([77, 'AUTH_REQUIRED'])
    const wrong = scratch.at('wrong.json')
    const secret = 'a wrong passphrase'
    await writeFile(
      wrong,
      JSON.stringify({
        auths: { [guarded.host]: { auth: Buffer.from(`mirror:${secret}`).toString('base64') } },
      }),
      { mode: 0o600 },
    )
    const ran = await mirror(['--authfile', wrong, '--src-ca-file', ca, '-v'])
    expect(failure(ran)).toEqual([77, 'AUTH_DENIED'])
    for (const text of [secret, Buffer.from(`mirror:${secret}`).toString('base64')])
      expect(ran.stderr + ran.stdout).not.toContain(text)
  })

  test('takes a push with --dest-authfile and --dest-ca-file', async () => {
    const { result } = only(await mirror(['--authfile', authfile, '--src-ca-file', ca]))
    const destination = `docker://${guarded.host}/far`
    expect(
      failure(await seqPush([result.directory, destination, '--dest-ca-file', ca, '--retry-times', '0'])),
    ).toEqual([77, 'AUTH_REQUIRED'])
    expect(
      only(await seqPush([result.directory, destination, '--dest-authfile', authfile, '--dest-ca-file', ca]))
        .result.changed,
    ).toBe(true)
    expect(
      only(
        await seqPush([
          result.directory,
          destination,
          '--dest-authfile',
          authfile,
          '--dest-tls-verify=false',
        ]),
      ).result.changed,
    ).toBe(false)
    expect(
      failure(
        await seqPush([result.directory, destination, '--dest-authfile', authfile, '--retry-times', '0']),
      ),
    ).toEqual([69, 'NET_TLS'])
  })
})

test('a registry with a token server is read and written with what that grants', async () => {
  const certificates = guarded.certificates!
  // `mirror` may do all, anonymous may pull what is public.
  await using tokens = await startTokenServer({
    certificates,
    accounts: { [account.username]: account.password },
    grant: (who, repository, action) =>
      who === account.username || (action === 'pull' && repository === 'public'),
  })
  const { realm, service, issuer, rootcertbundle } = tokens
  await using registry = await startDockerRegistry({ token: { realm, service, issuer, rootcertbundle } })
  const file = scratch.at('token-auth.json')
  await writeFile(
    file,
    JSON.stringify({
      auths: {
        [registry.host]: { auth: Buffer.from(`${account.username}:${account.password}`).toString('base64') },
      },
    }),
    { mode: 0o600 },
  )
  const { result } = only(await mirror(['--authfile', authfile, '--src-ca-file', ca]))
  expect(
    failure(await seqPush([result.directory, `docker://${registry.host}/private`, '--retry-times', '0']))[0],
  ).toBe(77)
  expect(
    only(await seqPush([result.directory, `docker://${registry.host}/private`, '--dest-authfile', file]))
      .result.changed,
  ).toBe(true)
  expect(
    only(
      await seqPush([
        result.directory,
        `docker://${registry.host}/public`,
        '--max-nested-paths',
        '1',
        '--dest-authfile',
        file,
      ]),
    ).result.changed,
  ).toBe(true)
  await writeConfig(scratch.at('isc.yaml'), [`${registry.host}/private/app:1`])
  expect(failure(await mirror([]))).toEqual([77, 'AUTH_REQUIRED'])
  expect(only(await mirror(['--authfile', file])).result.changed).toBe(true)
})

test('a registry that wants a client certificate gets that of --src-cert and --dest-cert', async () => {
  await using registry = await startDockerRegistry({ tls: 'clients' })
  const { ca: authority, clientCert, clientKey } = registry.certificates!
  await chmod(clientKey, 0o600)
  const given = (side: string) => [
    ...[`--${side}-ca-file`, authority, `--${side}-cert`, clientCert, `--${side}-key`, clientKey],
  ]
  await writeConfig(scratch.at('isc.yaml'), [`${guarded.host}/app:1`])
  const { result } = only(await mirror(['--authfile', authfile, '--src-ca-file', ca]))
  const destination = `docker://${registry.host}`
  const push = (flags: readonly string[]) =>
    seqPush([result.directory, destination, '--retry-times', '0', ...flags])
  expect(failure(await push(['--dest-ca-file', authority]))[0]).toBe(69)
  expect(only(await push(given('dest'))).result.changed).toBe(true)
  await writeConfig(scratch.at('isc.yaml'), [`${registry.host}/app:1`])
  expect(only(await mirror(given('src'))).result.changed).toBe(true)
  await chmod(clientKey, 0o644)
  expect(failure(await mirror(given('src')))).toEqual([77, 'FILE_MODE_UNSAFE'])
})

describe('registries.conf', () => {
  const conf = async (text: string) => {
    const path = scratch.at('registries.conf')
    await writeFile(path, text)
    return path
  }
  const named = 'quay.example/team'
  const withMirror = (host: string) =>
    conf(`[[registry]]
prefix = "${named}"
location = "127.0.0.1:1/team"
[[registry.mirror]]
location = "127.0.0.1:1/nowhere"
[[registry.mirror]]
location = "${host}/copy"
`)

  test('is followed as skopeo follows it, by a file of its own and by that of the environment', async () => {
    const stores = await connectStores({
      env: {},
      userAgent: 'carryall-test',
      tlsVerify: true,
      plainHttp: [],
      allowedRealms: [],
      retry: { times: 0 },
    })
    const image = sampleImage('mirrored')
    await pushSample(stores.registry(open.host), 'copy/app', image, '1')
    await stores.close()
    const file = await withMirror(open.host)
    await writeConfig(scratch.at('isc.yaml'), [`${named}/app:1`])
    const raw = [
      '--registries-conf',
      file,
      'inspect',
      '--raw',
      '--tls-verify=false',
      `docker://${named}/app:1`,
    ]
    expect(await mustRun('skopeo', raw)).toEqual(image.manifest.bytes)
    const ran = await mirror(['--registries-conf', file, '-v'])
    expect(only(ran).result.changed).toBe(true)
    expect(ran.stderr).toContain(`${open.host}/copy/app`)
    expect(only(await mirror([], { CONTAINERS_REGISTRIES_CONF: file })).result.changed).toBe(true)
    const none = ['--registries-conf', 'none']
    expect(failure(await mirror(none, { CONTAINERS_REGISTRIES_CONF: file }))[0]).toBe(69)
  })

  test('blocks what it says', async () => {
    const file = await conf(`[[registry]]\nlocation = "${guarded.host}"\nblocked = true\n`)
    await writeConfig(scratch.at('isc.yaml'), [`${guarded.host}/app:1`])
    expect(
      failure(await mirror(['--authfile', authfile, '--src-ca-file', ca, '--registries-conf', file])),
    ).toEqual([77, 'REG_BLOCKED'])
  })

  test('that is wrong is 78, with the place', async () => {
    const file = await conf('[[registry]]\nlocation = 7\n')
    expect(failureErrors(await mirror(['--registries-conf', file]))).toMatchObject([
      { code: 'CONFIG_INVALID', pointer: '#/registry/0/location' },
    ])
  })
})
