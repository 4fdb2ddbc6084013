import { copyFile, mkdir, writeFile } from 'node:fs/promises'
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
import { failure, only } from '../support/ran.ts'
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
