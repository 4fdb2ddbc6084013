import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createSecureServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createHttp } from './create-http.ts'
import { makeCertificates } from './testing/index.ts'

test('speaks HTTP/1.1 with a server that offers HTTP/2, which undici would take by default', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'http1-'))
  const files = await makeCertificates(directory)
  const pem = { cert: await readFile(files.cert), key: await readFile(files.key), allowHTTP1: true }
  const server = createSecureServer(pem, (request, response) => response.end(request.httpVersion))
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const http = createHttp({ tls: async () => ({ ca: [await readFile(files.ca, 'utf8')] }) })
  onTestFinished(async () => {
    await http.close()
    server.close()
    await rm(directory, { recursive: true })
  })
  const { port } = server.address() as AddressInfo
  const answer = await http.request({ method: 'GET', url: new URL(`https://127.0.0.1:${port}/`) })
  expect((await answer.bytes(10)).toString()).toBe('1.1')
})
