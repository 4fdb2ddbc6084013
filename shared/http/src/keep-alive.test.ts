import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { createHttp } from './create-http.ts'

test.each(['HEAD', 'GET', 'POST', 'DELETE'] as const)(
  '%s keeps its connection for the next one',
  async (method) => {
    let connections = 0
    const server = createServer((_request, response) =>
      response.writeHead(200, { 'content-length': '0' }).end(),
    )
    server.on('connection', () => (connections += 1))
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    const http = createHttp()
    onTestFinished(async () => {
      await http.close()
      server.close()
    })
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    for (let count = 0; count < 20; count += 1) await (await http.request({ method, url })).dump()
    // The pool may take a second one while the first is just becoming free.
    expect(connections).toBeLessThan(4)
  },
)
