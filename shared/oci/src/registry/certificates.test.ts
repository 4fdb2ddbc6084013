import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { hostCertificates } from './certificates.ts'

let home: string
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'certificates-'))
})
afterEach(() => rm(home, { recursive: true }))

async function put(...paths: string[]): Promise<void> {
  for (const path of paths) {
    await mkdir(join(home, path, '..'), { recursive: true })
    await writeFile(join(home, path), path)
  }
}

const look = (host: string, options = {}) =>
  hostCertificates({ env: {}, directories: [join(home, 'one'), join(home, 'two')], ...options })(host)

test('authorities and the client certificate of the first directory that has the host', async () => {
  await put(
    'one/a.example:5000/b.crt',
    'one/a.example:5000/a.crt',
    'one/a.example:5000/c.cert',
    'one/a.example:5000/c.key',
    'two/a.example:5000/z.crt',
  )
  const at = 'one/a.example:5000'
  expect(await look('a.example:5000')).toEqual({
    ca: [`${at}/a.crt`, `${at}/b.crt`],
    cert: `${at}/c.cert`,
    key: `${at}/c.key`,
  })
  expect(await look('a.example')).toEqual({ ca: [] })
})

test('the default port may be written out, and Docker Hub has its own name', async () => {
  await put('two/a.example:443/x.crt', 'two/docker.io/y.crt')
  expect(await look('a.example')).toEqual({ ca: ['two/a.example:443/x.crt'] })
  expect(await look('registry-1.docker.io')).toEqual({ ca: ['two/docker.io/y.crt'] })
})

test('the usual place below the home directory', async () => {
  await put('.config/containers/certs.d/a.example/x.crt')
  expect(await hostCertificates({ env: { HOME: home } })('a.example')).toMatchObject({
    ca: ['.config/containers/certs.d/a.example/x.crt'],
  })
})

test('a file of authorities is for every host, and verification can be turned off', async () => {
  await put('ca.pem', 'one/a.example/x.crt')
  expect(await look('a.example', { caFile: join(home, 'ca.pem'), verify: false })).toEqual({
    ca: ['ca.pem', 'one/a.example/x.crt'],
    verify: false,
  })
  await expect(look('b.example', { caFile: join(home, 'none') })).rejects.toMatchObject({
    code: 'INPUT_NOT_FOUND',
  })
})

test.each(['cert', 'key'])('a %s alone is CONFIG_INVALID', async (kind) => {
  await put(`one/a.example/x.${kind}`)
  await expect(look('a.example')).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})

test('what is said of a host: its authorities as well, its client certificate instead', async () => {
  await put(
    'one/a.example/x.crt',
    'one/a.example/x.cert',
    'one/a.example/x.key',
    'own.ca',
    'own.cert',
    'own.key',
  )
  await chmod(join(home, 'own.key'), 0o600)
  const own = {
    caFile: join(home, 'own.ca'),
    clientCert: join(home, 'own.cert'),
    clientKey: join(home, 'own.key'),
  }
  const settings = (host: string) => (host === 'a.example' ? own : {})
  expect(await look('a.example', { settings })).toEqual({
    ca: ['own.ca', 'one/a.example/x.crt'],
    cert: 'own.cert',
    key: 'own.key',
  })
  expect(await look('b.example', { settings })).toEqual({ ca: [] })
  await chmod(own.clientKey, 0o640)
  await expect(look('a.example', { settings })).rejects.toMatchObject({ code: 'FILE_MODE_UNSAFE' })
})
