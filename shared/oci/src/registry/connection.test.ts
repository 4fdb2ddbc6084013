import { type AddressInfo, createServer } from 'node:net'
import { createHttp, type HttpOptions } from '@carryall/http'
import { startServer } from '@carryall/http/testing'
import { expect, onTestFinished, test } from 'vitest'
import { startDockerRegistry } from '../testing/index.ts'
import type { RegistryAddress } from './connection.ts'
import { ANONYMOUS } from './credentials.ts'
import { openRegistry } from './open-registry.ts'

function open(address: RegistryAddress, options: HttpOptions = {}) {
  const http = createHttp({ ...options, retry: { times: 0, ...options.retry } })
  onTestFinished(() => http.close())
  return openRegistry(address, { http, credentials: ANONYMOUS })
}

test('https first, and plain http on loopback where nothing else is spoken', async () => {
  await using plain = await startDockerRegistry()
  expect(await open(plain).head('a', 'v1')).toBeUndefined()
  await using tls = await startDockerRegistry({ tls: true })
  await expect(open(tls).head('a', 'v1')).rejects.toMatchObject({ code: 'NET_TLS' })
  expect(await open(tls, { tls: () => ({ verify: false }) }).head('a', 'v1')).toBeUndefined()
})

test('a server that hangs up on TLS is tried with plain http', async () => {
  const picky = createServer((socket) =>
    socket.once('data', (first) => {
      if (first[0] === 0x16) return socket.destroy()
      socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
    }),
  )
  await new Promise<void>((resolve) => picky.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void picky.close())
  expect(
    await open({ host: `127.0.0.1:${(picky.address() as AddressInfo).port}` }).head('a', 'v1'),
  ).toBeUndefined()
})

test('with plainHttp nothing else is tried', async () => {
  await using server = await startServer((_, response) => void response.writeHead(404).end())
  expect(await open({ host: server.host, plainHttp: true }).head('a', 'v1')).toBeUndefined()
  await expect(open({ host: 'registry.invalid', plainHttp: true }).head('a', 'v1')).rejects.toMatchObject({
    code: 'NET_PLAIN_HTTP_REFUSED',
  })
})

test('the scheme is found out once for all, and again after a failure', async () => {
  let up = false
  await using server = await startServer((_, response) =>
    up ? void response.writeHead(404).end() : void response.writeHead(503).end(),
  )
  const store = open(server)
  await expect(store.head('a', 'v1')).rejects.toMatchObject({ code: 'NET_UNAVAILABLE' })
  up = true
  await Promise.all(['a', 'b', 'c'].map((repository) => store.head(repository, 'v1')))
  expect(server.requests.filter(({ url }) => url === '/v2/')).toHaveLength(2)
})

test('an abort does not wait for the first request', async () => {
  await using server = await startServer(() => new Promise(() => {}))
  const store = open({ host: server.host, plainHttp: true })
  const controller = new AbortController()
  const pending = store.head('a', 'v1', controller.signal)
  await expect.poll(() => server.requests.length).toBe(1)
  controller.abort(new Error('stop'))
  await expect(pending).rejects.toThrow('stop')
})

test('nothing is asked before the first call', async () => {
  await using server = await startServer((_, response) => void response.end())
  await open(server).close()
  expect(server.requests).toEqual([])
})
