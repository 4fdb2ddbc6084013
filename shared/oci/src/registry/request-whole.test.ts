import { createHttp } from '@carryall/http'
import { startServer } from '@carryall/http/testing'
import { expect, onTestFinished, test } from 'vitest'
import { ANONYMOUS } from './credentials.ts'
import { openRegistry } from './open-registry.ts'

/** A registry whose first `times` answers break off in the middle of their body. */
async function breaking(times: number) {
  const body = JSON.stringify({ name: 'app', tags: ['1', '2'] })
  let left = times
  const server = await startServer((seen, response) => {
    if (seen.url === '/v2/') return void response.end('{}')
    if (left-- <= 0) return void response.end(body)
    response.writeHead(200, { 'content-length': String(body.length) })
    response.write(body.slice(0, 10), () => response.destroy())
  })
  const http = createHttp({ retry: { times: 2, sleep: async () => {} } })
  onTestFinished(async () => {
    await http.close()
    await server[Symbol.asyncDispose]()
  })
  return { server, registry: openRegistry({ host: server.host }, { http, credentials: ANONYMOUS }) }
}

test('a body that breaks off is asked for again, as often as requests are repeated', async () => {
  const { server, registry } = await breaking(2)
  expect(await Array.fromAsync(registry.tags('app'))).toEqual(['1', '2'])
  expect(server.requests.filter(({ url }) => url !== '/v2/')).toHaveLength(3)
})

test('and no more', async () => {
  const { server, registry } = await breaking(Infinity)
  await expect(Array.fromAsync(registry.tags('app'))).rejects.toMatchObject({ code: 'NET_UNAVAILABLE' })
  expect(server.requests.filter(({ url }) => url !== '/v2/')).toHaveLength(3)
})
