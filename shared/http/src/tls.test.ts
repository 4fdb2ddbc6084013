import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isCarryallError } from '@carryall/errors'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createHttp, type HttpOptions } from './create-http.ts'
import type { HostTls } from './host-tls.ts'
import { speaksPlainHttp } from './network-error.ts'
import { makeCertificates, startServer } from './testing/index.ts'

let directory: string
let ca: string
let server: { cert: string; key: string }
let other: { cert: string; key: string }

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tls-'))
  const paths = await makeCertificates(directory)
  const read = (path: string) => readFile(path, 'utf8')
  ca = await read(paths.ca)
  server = { cert: await read(paths.cert), key: await read(paths.key) }
  other = { cert: await read(paths.clientCert), key: await read(paths.clientKey) }
})

afterAll(() => rm(directory, { recursive: true }))

async function get(url: string, tls: HostTls, options: HttpOptions = {}) {
  const http = createHttp({ retry: { times: 0 }, tls: () => tls, ...options })
  onTestFinished(() => http.close())
  return http
    .request({ method: 'GET', url: new URL(url) })
    .then(async (answer) => (await answer.bytes(100)).toString())
}

test('a certificate of a given authority is taken, one of no authority is NET_TLS', async () => {
  await using site = await startServer((_, response) => void response.end('ok'), { tls: server })
  expect(await get(site.url, { ca: [ca] })).toBe('ok')
  await expect(
    get(site.url, {}, { retry: { times: 1, onRetry: () => expect.unreachable() } }),
  ).rejects.toMatchObject({
    code: 'NET_TLS',
    details: { actual: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' },
  })
  expect(await get(site.url, { verify: false })).toBe('ok')
})

test('a certificate for another name is NET_TLS', async () => {
  await using site = await startServer((_, response) => void response.end('ok'), { tls: other })
  await expect(get(site.url, { ca: [ca] })).rejects.toMatchObject({ code: 'NET_TLS' })
})

test('settings are asked for once per host and by its name and port', async () => {
  await using site = await startServer((_, response) => void response.end('ok'), { tls: server })
  const asked: string[] = []
  const http = createHttp({ tls: (host) => (asked.push(host), { ca: [ca] }) })
  onTestFinished(() => http.close())
  for (const _ of [1, 2]) await (await http.request({ method: 'GET', url: new URL(site.url) })).dump()
  expect(asked).toEqual([site.host])
  expect(await http.unverified(site.host)).toBe(false)
})

test('a certificate file without a certificate is CONFIG_INVALID', async () => {
  await using site = await startServer((_, response) => void response.end('ok'), { tls: server })
  await expect(get(site.url, { cert: 'x', key: 'y' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})

test('https to a server of plain http is told apart', async () => {
  await using site = await startServer((_, response) => void response.end('ok'))
  const failure = await get(`https://${site.host}`, {}).catch((error: unknown) => error)
  expect(isCarryallError(failure, 'NET_TLS')).toBe(true)
  expect(speaksPlainHttp(failure)).toBe(true)
  await using tls = await startServer((_, response) => void response.end('ok'), { tls: server })
  const untrusted = await get(tls.url, {}).catch((error: unknown) => error)
  expect(speaksPlainHttp(untrusted)).toBe(false)
})
