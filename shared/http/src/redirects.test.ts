import { type ErrorCode, isCarryallError } from '@carryall/errors'
import { expect, onTestFinished, test } from 'vitest'
import { createHttp } from './create-http.ts'
import type { HttpRequest } from './request.ts'
import { startServer, type TestServer } from './testing/index.ts'

const code = (...codes: ErrorCode[]) =>
  expect.toSatisfy((error: unknown) => isCarryallError(error, ...codes), codes.join())
const SECRET = 'canary-Zm9vYmFy'

/** Redirects `/to?URL` to that URL, answers the rest. */
function redirector(status = 307) {
  return startServer((seen, response) => {
    const to = /^\/to\?(.*)$/.exec(seen.url)?.[1]
    if (to === undefined) response.end('here')
    else response.writeHead(status, { location: decodeURIComponent(to) }).end()
  })
}

const to = (server: TestServer, ...targets: string[]) =>
  targets.reduceRight(
    (inner, target) => `${target}${inner === '' ? '' : `/to?${encodeURIComponent(inner)}`}`,
    '',
  ) || server.url

function request(url: string, more: Partial<HttpRequest> = {}) {
  const http = createHttp({ retry: { times: 0 } })
  onTestFinished(() => http.close())
  return http.request({
    method: 'GET',
    url: new URL(url),
    headers: { accept: 'a/b', range: 'bytes=1-2', 'x-secret': SECRET, cookie: SECRET },
    authorize: () => ({ authorization: `Bearer ${SECRET}` }),
    ...more,
  })
}

test.each([301, 302, 303, 307, 308])(
  '%i is followed, with credentials at the same origin',
  async (status) => {
    await using server = await redirector(status)
    const answer = await request(to(server, server.url, '/there'))
    expect((await answer.bytes(10)).toString()).toBe('here')
    expect(answer.url.href).toBe(`${server.url}/there`)
    expect(server.requests[1]!.headers).toMatchObject({
      authorization: `Bearer ${SECRET}`,
      'x-secret': SECRET,
      range: 'bytes=1-2',
    })
  },
)

test('another port is another origin: only Accept, Range and User-Agent arrive', async () => {
  await using server = await redirector()
  await using sink = await redirector()
  await (await request(to(server, server.url, sink.url))).dump()
  expect(Object.keys(sink.requests[0]!.headers).toSorted()).toEqual([
    'accept',
    'connection',
    'host',
    'range',
    'user-agent',
  ])
  expect(JSON.stringify(sink.requests)).not.toContain(SECRET)
})

test('credentials do not come back with a redirect from abroad', async () => {
  await using server = await redirector()
  await using sink = await redirector()
  const answer = await request(to(server, server.url, sink.url, `${server.url}/end`))
  expect(answer.url.href).toBe(`${server.url}/end`)
  await answer.dump()
  expect(server.requests.at(-1)!.headers.authorization).toBeUndefined()
})

test('five are followed, six are not', async () => {
  await using server = await redirector()
  const chain = (count: number) => to(server, ...Array<string>(count).fill(server.url), `${server.url}/end`)
  await (await request(chain(5))).dump()
  await expect(request(chain(6))).rejects.toEqual(code('REG_PROTOCOL'))
})

test('a redirect of a write is an answer', async () => {
  await using server = await redirector()
  const answer = await request(to(server, server.url, '/x'), { method: 'POST', body: Buffer.from('x') })
  expect(answer.status).toBe(307)
  await answer.dump()
  expect(server.requests).toHaveLength(1)
})

test.each([
  ['http://169.254.169.254/latest/meta-data', 'NET_ORIGIN_REFUSED'],
  ['http://[fe80::1]/', 'NET_ORIGIN_REFUSED'],
  ['http://user:word@127.0.0.1/', 'NET_ORIGIN_REFUSED'],
  ['ftp://127.0.0.1/', 'NET_ORIGIN_REFUSED'],
  ['http://registry.example/', 'NET_PLAIN_HTTP_REFUSED'],
  ['http://0.0.0.0:1/', 'NET_PLAIN_HTTP_REFUSED'],
  ['http://[', 'REG_PROTOCOL'],
] as const)('not to %s', async (target, expected) => {
  await using server = await redirector()
  await expect(request(`${server.url}/to?${encodeURIComponent(target)}`)).rejects.toEqual(code(expected))
})

test('a link-local address is not asked at all', async () => {
  await expect(request('http://169.254.169.254/')).rejects.toEqual(code('NET_ORIGIN_REFUSED'))
})
