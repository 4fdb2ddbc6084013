import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { createHttp } from './create-http.ts'
import { firstBytes } from './first-bytes.ts'

const MIB = 1 << 20
// One for the pools, one for a connection of its own.
const SIZES = [[MIB], [8 * MIB]] as const

async function listening() {
  const connections: number[] = []
  const server = createServer((socket) => {
    connections.push(performance.now())
    socket.on('error', () => {})
    socket.resume()
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  const http = createHttp({ retry: { times: 0 } })
  onTestFinished(async () => {
    await http.close()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const put = (size: number, body: () => AsyncIterable<Buffer>, signal?: AbortSignal) =>
    http.request({
      method: 'PUT',
      url: new URL(`http://127.0.0.1:${port}/`),
      size,
      body,
      ...(signal ? { signal } : {}),
    })
  return { connections, put, close: () => new Promise((closed) => server.close(closed)) }
}

test.each(SIZES)('no connection is made before there are bytes for it (%i bytes)', async (size) => {
  const { connections, put } = await listening()
  let given = Number.POSITIVE_INFINITY
  async function* slow() {
    await sleep(200)
    given = performance.now()
    yield Buffer.alloc(size)
    throw new Error('enough')
  }
  await expect(put(size, slow)).rejects.toThrow('enough')
  expect(connections).toHaveLength(1)
  expect(connections[0]!).toBeGreaterThanOrEqual(given)
})

test.each(SIZES)('a source that fails at once costs no connection (%i bytes)', async (size) => {
  const { connections, put } = await listening()
  const broken = Object.assign(new Error('the disk is gone'), { code: 'EIO' })
  // eslint-disable-next-line require-yield
  async function* failing(): AsyncGenerator<Buffer> {
    throw broken
  }
  await expect(put(size, failing)).rejects.toBe(broken)
  expect(connections).toHaveLength(0)
})

test.each(SIZES)('a failure of the source is its own, whatever its code (%i bytes)', async (size) => {
  const { put } = await listening()
  const broken = Object.assign(new Error('the disk is gone'), { code: 'EIO' })
  async function* failing() {
    yield Buffer.alloc(1000)
    throw broken
  }
  await expect(put(size, failing)).rejects.toBe(broken)
})

test.each(SIZES)('an abort does not wait for the source (%i bytes)', async (size) => {
  const { connections, put } = await listening()
  const controller = new AbortController()
  const reason = new Error('stop')
  async function* silent() {
    setTimeout(() => controller.abort(reason), 50)
    await sleep(60_000, undefined, { ref: false })
    yield Buffer.alloc(1)
  }
  await expect(put(size, silent, controller.signal)).rejects.toBe(reason)
  expect(connections).toHaveLength(0)
})

test.each(SIZES)('a source is let go where no connection comes about (%i bytes)', async (size) => {
  const { put, close } = await listening()
  await close()
  let released = false
  async function* source() {
    try {
      for (;;) yield Buffer.alloc(1000)
    } finally {
      released = true
    }
  }
  await expect(put(size, source)).rejects.toMatchObject({ code: 'NET_UNAVAILABLE' })
  await expect.poll(() => released).toBe(true)
})

test('the first chunk is given first, and only once', async () => {
  async function* source() {
    yield Buffer.from('a')
    yield Buffer.from('b')
  }
  const body = await firstBytes(source, undefined)
  expect(Buffer.concat(await Array.fromAsync(body.chunks)).toString()).toBe('ab')
  expect(body.failure()).toBeUndefined()
})
