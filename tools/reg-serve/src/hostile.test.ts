import { EventEmitter } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLayout, type LayoutStore } from '@carryall/oci'
import { sampleBlob } from '@carryall/oci/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { boundConnections } from './server/connections.ts'
import { serve, type ServeOptions, type Serving } from './serve.ts'

const ABSENT = `sha256:${'0'.repeat(64)}`

let directory: string
let store: LayoutStore
let server: Serving
let sockets: Socket[]

const start = async (options: Partial<ServeOptions> = {}, served = store) => {
  await server?.close()
  server = await serve(served, { host: '127.0.0.1', port: 0, ...options })
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'reg-serve-'))
  sockets = []
  store = await openLayout(join(directory, 'layout'), { write: true })
  await start()
})
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  await server.close()
  await store.close()
  await rm(directory, { recursive: true })
})

/** A client that says what it likes. */
function speak(text = ''): { socket: Socket; heard: () => string; ended: Promise<string> } {
  const socket = connect(server.port, '127.0.0.1')
  sockets.push(socket)
  let heard = ''
  socket.setEncoding('latin1').on('data', (more: string) => (heard += more))
  socket.on('error', () => undefined)
  if (text !== '') socket.write(text)
  const ended = new Promise<string>((resolve) => socket.once('close', () => resolve(heard)))
  return { socket, heard: () => heard, ended }
}

const head = (line: string, ...headers: readonly string[]) =>
  [`${line} HTTP/1.1`, 'host: x', ...headers, '', ''].join('\r\n')

describe('what is wrong with a request', () => {
  test.each([
    ['a manifest without a length', head('PUT /v2/app/manifests/v1'), 411],
    ['a chunk without a length', head(`PATCH /v2/app/blobs/uploads/{session}`), 411],
    [
      'a manifest that says it is too large',
      head('PUT /v2/app/manifests/v1', 'content-length: 5000000'),
      413,
    ],
    ['a length that is none', head('PUT /v2/app/manifests/v1', 'content-length: many'), 400],
    ['two lengths', head('PUT /v2/app/manifests/v1', 'content-length: 1', 'content-length: 2'), 400],
    [
      'a length and pieces',
      head('PUT /v2/app/manifests/v1', 'content-length: 1', 'transfer-encoding: chunked'),
      400,
    ],
    ['no host', 'GET /v2/ HTTP/1.1\r\n\r\n', 400],
    ['no HTTP', 'EHLO registry.example\r\n\r\n', 400],
    ['a head beyond all limits', head('GET /v2/', `x: ${'x'.repeat(40_000)}`), 431],
    ['an expectation that nobody knows', head('GET /v2/', 'expect: 200-ok'), 417],
  ])('%s', async (_what, text, status) => {
    const opened = await fetch(new URL('/v2/app/blobs/uploads/', server.url), { method: 'POST' })
    const session = opened.headers.get('location')!.split('/').at(-1)!
    const { heard } = speak(text.replace('{session}', session))
    await expect.poll(heard).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  })

  test('more tags than anybody has', async () => {
    const query = Array.from({ length: 101 }, (_, each) => `tag=v${each}`).join('&')
    const response = await fetch(new URL(`/v2/app/manifests/${ABSENT}?${query}`, server.url), {
      method: 'PUT',
      body: '{}',
    })
    expect(response.status).toBe(414)
  })
})

describe('clients that wait to be told', () => {
  test('are told to go on when their body is wanted', async () => {
    const blob = sampleBlob('waited')
    const line = `POST /v2/app/blobs/uploads/?digest=${blob.descriptor.digest}`
    const { socket, heard } = speak(
      head(line, `content-length: ${blob.bytes.length}`, 'expect: 100-continue'),
    )
    await expect.poll(heard).toBe('HTTP/1.1 100 Continue\r\n\r\n')
    socket.write(blob.bytes)
    await expect.poll(heard).toMatch(/HTTP\/1.1 201 /)
    socket.write(head('GET /v2/'))
    await expect.poll(heard).toMatch(/HTTP\/1.1 200 /)
  })

  test('are refused before they send, and their connection with them', async () => {
    await start({ logins: { check: async () => 'wrong' } })
    const { ended } = speak(head('PUT /v2/app/manifests/v1', 'content-length: 10', 'expect: 100-continue'))
    expect(await ended).toMatch(/^HTTP\/1.1 401 [^]*connection: close/i)
  })
})

describe('clients that take their time', () => {
  const patience = { head: 150, silence: 400 }

  test('to say nothing at all', async () => {
    await start({ patience })
    expect(await speak().ended).toMatch(/^(?:HTTP\/1.1 408 |$)/)
  })

  test('over the head of a request', async () => {
    await start({ patience })
    const { socket, ended } = speak('GET /v2/ HTTP/1.1\r\nhost: x\r\n')
    const dripping = setInterval(() => socket.write('x: y\r\n'), 20)
    expect(await ended).toMatch(/^HTTP\/1.1 408 /)
    clearInterval(dripping)
  })

  test('over a body, of which what came stays', async () => {
    await start({ patience })
    const opened = await fetch(new URL('/v2/app/blobs/uploads/', server.url), { method: 'POST' })
    const location = opened.headers.get('location')!
    await speak(`${head(`PATCH ${location}`, 'content-length: 10')}12345`).ended
    await expect
      .poll(async () => (await fetch(new URL(location, server.url))).headers.get('range'))
      .toBe('0-4')
  })

  test('but not while they wait for the server', async () => {
    const slow: LayoutStore = {
      ...store,
      async putBlob(...given) {
        const outcome = await store.putBlob(...given)
        await new Promise((resolve) => setTimeout(resolve, 3 * patience.silence))
        return outcome
      },
    }
    await start({ patience }, slow)
    const blob = sampleBlob('large, as it were')
    const response = await fetch(
      new URL(`/v2/app/blobs/uploads/?digest=${blob.descriptor.digest}`, server.url),
      { method: 'POST', body: blob.bytes },
    )
    expect(response.status).toBe(201)
  })

  test('to send a body that nobody wants', async () => {
    await start({ logins: { check: async () => 'wrong' } })
    const { socket, heard, ended } = speak(head('POST /v2/app/blobs/uploads/', 'transfer-encoding: chunked'))
    await expect.poll(heard).toMatch(/^HTTP\/1.1 401 /)
    const chunk = Buffer.alloc(1024 * 1024)
    let sent = 0
    while (!socket.destroyed && sent < 100) {
      sent++
      socket.write('100000\r\n')
      socket.write(chunk)
      await Promise.race([new Promise((resolve) => socket.write('\r\n', resolve)), ended])
    }
    await ended
    expect(sent).toBeLessThan(64)
    expect(await readdir(store.stagingDirectory)).toEqual([])
  })
})

describe('clients that are many', () => {
  test('beyond the bound are not served, until others leave', async () => {
    await start({ bounds: { all: 3, perAddress: 3 } })
    const present = [1, 2, 3].map(() => speak(head('GET /v2/')))
    for (const { heard } of present) await expect.poll(heard).toMatch(/^HTTP\/1.1 200 /)
    expect(await speak(head('GET /v2/')).ended).toBe('')
    present[0]!.socket.destroy()
    await present[0]!.ended
    await expect
      .poll(async () => {
        const another = speak(head('GET /v2/'))
        await Promise.race([another.ended, new Promise((resolve) => setTimeout(resolve, 100))])
        return another.heard()
      })
      .toMatch(/^HTTP\/1.1 200 /)
  })

  test('from one address leave room for others', () => {
    const bounded = createServer()
    boundConnections(bounded, { all: 100, perAddress: 2 })
    const arrive = (remoteAddress: string) => {
      let destroyed = false
      const socket = Object.assign(new EventEmitter(), { remoteAddress, destroy: () => (destroyed = true) })
      bounded.emit('connection', socket as unknown as Socket)
      return { refused: destroyed, leave: () => socket.emit('close') }
    }
    const first = arrive('192.0.2.1')
    expect(
      [first, arrive('192.0.2.1'), arrive('192.0.2.1'), arrive('192.0.2.2')].map((each) => each.refused),
    ).toEqual([false, false, true, false])
    first.leave()
    expect([arrive('192.0.2.1').refused, arrive('192.0.2.1').refused]).toEqual([false, true])
    expect(Array.from({ length: 5 }, () => arrive('127.0.0.1').refused)).toEqual(Array(5).fill(false))
  })
})
