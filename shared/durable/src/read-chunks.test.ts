import { randomBytes } from 'node:crypto'
import { type FileHandle, mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { BufferPool, bufferPool, CHUNK_BYTES } from './buffer-pool.ts'
import { readChunks } from './read-chunks.ts'

const content = randomBytes(3 * CHUNK_BYTES + 12_345)
let root: string
let handle: FileHandle

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'chunks-'))
  await writeFile(join(root, 'file'), content)
  handle = await open(join(root, 'file'))
})
afterAll(async () => {
  await handle.close()
  await rm(root, { recursive: true })
})

afterEach(() => {
  // Whatever happened, all 32 are back.
  const all = Array.from({ length: 32 }, () => bufferPool.takeFree())
  for (const buffer of all) if (buffer) bufferPool.give(buffer)
  expect(all).not.toContain(undefined)
})

async function collect(offset: number, size: number, pause = 0): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const chunk of readChunks(handle, offset, size)) {
    // The next chunk is being read meanwhile and must not disturb this one.
    if (pause > 0) await wait(pause)
    parts.push(Buffer.from(chunk))
  }
  return Buffer.concat(parts)
}

test('exactly the bytes asked for', async () => {
  for (const [offset, size] of [
    [0, content.length],
    [0, 0],
    [5, 1],
    [content.length, 0],
    [1, CHUNK_BYTES],
    [CHUNK_BYTES - 1, CHUNK_BYTES + 1],
    [12_345, 3 * CHUNK_BYTES],
  ] as const) {
    expect((await collect(offset, size)).equals(content.subarray(offset, offset + size))).toBe(true)
  }
  expect((await collect(0, content.length, 5)).equals(content)).toBe(true)
})

test('a file that ends early is SIZE_MISMATCH, wherever', async () => {
  for (const [offset, size] of [
    [0, content.length + 1],
    [0, 5 * CHUNK_BYTES],
    [content.length, 1],
    [3 * CHUNK_BYTES, 12_346],
  ] as const) {
    await expect(collect(offset, size)).rejects.toMatchObject({
      code: 'SIZE_MISMATCH',
      details: { expected: offset + size, actual: content.length },
    })
  }
})

test('an abort ends it with the reason', async () => {
  const stop = new AbortController()
  const reason = new Error('stopped')
  const seen: number[] = []
  const reading = async () => {
    for await (const chunk of readChunks(handle, 0, content.length, { signal: stop.signal })) {
      seen.push(chunk.length)
      stop.abort(reason)
    }
  }
  await expect(reading()).rejects.toBe(reason)
  expect(seen).toEqual([CHUNK_BYTES])
})

test('who leaves early and who fails on a system error gives the buffers back', async () => {
  for await (const chunk of readChunks(handle, 0, content.length)) {
    expect(chunk.length).toBe(CHUNK_BYTES)
    break
  }
  const directory = await open(root)
  const reading = readChunks(directory, 0, 10)
  await expect(reading.next()).rejects.toMatchObject({ code: 'EISDIR' })
  await directory.close()
})

test('more readers than buffers all come to their end', async () => {
  const all = await Promise.all(Array.from({ length: 100 }, () => collect(0, 2 * CHUNK_BYTES + 1, 1)))
  for (const one of all) expect(one.equals(content.subarray(0, 2 * CHUNK_BYTES + 1))).toBe(true)
})

test('a pool hands out no more than it has, in order of asking', async () => {
  const pool = new BufferPool(2)
  const [first, second] = [await pool.take(), await pool.take()]
  expect(first).not.toBe(second)
  expect(pool.takeFree()).toBeUndefined()
  const order: string[] = []
  const third = pool.take().then((buffer) => (order.push('third'), buffer))
  const fourth = pool.take().then((buffer) => (order.push('fourth'), buffer))
  await wait(5)
  expect(order).toEqual([])
  pool.give(second)
  expect(await third).toBe(second)
  pool.give(first)
  expect(await fourth).toBe(first)
  expect(order).toEqual(['third', 'fourth'])
})

test('a pool takes back only what it gave', async () => {
  const pool = new BufferPool(1)
  const buffer = await pool.take()
  expect(() => pool.give(buffer.subarray(0, 10))).toThrow()
  pool.give(buffer)
  expect(() => pool.give(buffer)).toThrow()
  expect(await pool.take()).toBe(buffer)
})
