import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, get } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createHttp } from './create-http.ts'
import { proxyFor } from './proxy.ts'
import { makeCertificates, startServer } from './testing/index.ts'

const PROXY = { http_proxy: 'http://p.example:3128', HTTPS_PROXY: 'https://q.example' }

test.each([
  ['http://a.example/', PROXY, 'http://p.example:3128'],
  ['https://a.example/', PROXY, 'https://q.example'],
  ['https://a.example/', { https_proxy: 'lower', HTTPS_PROXY: 'upper' }, 'http://lower'],
  ['http://a.example/', {}, undefined],
  ['http://localhost/', PROXY, undefined],
  ['http://127.0.0.1:5000/', PROXY, undefined],
  ['https://a.example/', { ...PROXY, NO_PROXY: '*' }, undefined],
  ['https://a.example/', { ...PROXY, NO_PROXY: 'b.example, A.example' }, undefined],
  ['https://x.a.example/', { ...PROXY, no_proxy: 'a.example' }, undefined],
  ['https://x.a.example/', { ...PROXY, no_proxy: '.a.example' }, undefined],
  ['https://xa.example/', { ...PROXY, no_proxy: 'a.example' }, 'https://q.example'],
  ['https://a.example:5000/', { ...PROXY, no_proxy: 'a.example:5000' }, undefined],
  ['https://a.example:5001/', { ...PROXY, no_proxy: 'a.example:5000' }, 'https://q.example'],
  ['https://a.example/', { ...PROXY, no_proxy: 'a.example:443' }, undefined],
  ['https://10.1.2.3/', { ...PROXY, no_proxy: '10.0.0.0/8' }, undefined],
  ['https://11.1.2.3/', { ...PROXY, no_proxy: '10.0.0.0/8' }, 'https://q.example'],
  ['https://10.1.2.3/', { ...PROXY, no_proxy: '10.0.0.0/99' }, 'https://q.example'],
  ['https://[fd00::7]/', { ...PROXY, no_proxy: 'fd00::/16' }, undefined],
  ['https://[fd00::7]/', { ...PROXY, no_proxy: '[fd00::7]:443' }, undefined],
] as const)('%s with %o goes through %s', (url, env, expected) => {
  expect(proxyFor(new URL(url), env)).toBe(expected)
})

/** A proxy that takes every request to `port` of loopback and notes what it was asked and told. */
async function startProxy(port: number) {
  const seen: (string | undefined)[][] = []
  const proxy = createServer((request, response) => {
    seen.push([request.method, request.url, request.headers['proxy-authorization']])
    get(`http://127.0.0.1:${port}/`, (answer) => answer.pipe(response))
  })
  proxy.on('connect', (request, socket) => {
    seen.push([
      request.method,
      request.url,
      request.headers['proxy-authorization'],
      request.headers.authorization,
    ])
    const up = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      up.pipe(socket).pipe(up)
    })
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const close = async () => {
    proxy.closeAllConnections()
    proxy.close()
  }
  return {
    seen,
    url: `http://me:word@127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: close,
  }
}

const PROXY_LOGIN = `Basic ${Buffer.from('me:word').toString('base64')}`

test('plain http to a host that only the proxy knows is forwarded', async () => {
  await using target = await startServer((_, response) => void response.end('hello'))
  await using proxy = await startProxy(target.port)
  const http = createHttp({ env: { http_proxy: proxy.url }, plainHttpHosts: ['only.example'] })
  const answer = await http.request({ method: 'GET', url: new URL('http://only.example/x') })
  expect((await answer.bytes(100)).toString()).toBe('hello')
  expect(proxy.seen).toEqual([['GET', 'http://only.example/x', PROXY_LOGIN]])
  await http.close()
})

test('https goes through a tunnel, so that the proxy sees no credentials but its own', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'proxy-'))
  const { cert, key } = await makeCertificates(directory)
  const tls = { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') }
  await rm(directory, { recursive: true })
  await using target = await startServer((_, response) => void response.end('hello'), { tls })
  await using proxy = await startProxy(target.port)
  const http = createHttp({ env: { https_proxy: proxy.url }, tls: () => ({ verify: false }) })
  const authorize = () => ({ authorization: 'Bearer canary' })
  const answer = await http.request({ method: 'GET', url: new URL('https://only.example/x'), authorize })
  expect((await answer.bytes(100)).toString()).toBe('hello')
  expect(target.requests[0]!.headers).toMatchObject({ host: 'only.example', authorization: 'Bearer canary' })
  expect(proxy.seen).toEqual([['CONNECT', 'only.example:443', PROXY_LOGIN, undefined]])
  await http.close()
})
