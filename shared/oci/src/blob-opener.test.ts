import { CarryallError } from '@carryall/errors'
import { retryPolicy } from '@carryall/http'
import { expect, test } from 'vitest'
import { blobOpener } from './blob-opener.ts'
import type { Source } from './store.ts'
import { sampleBlob } from './testing/index.ts'

const PIECE = 65_536
const { descriptor, bytes } = sampleBlob({ seed: 'opened', size: 10 * PIECE + 7 })

/** A source with one buffer for all chunks, as those have that read files. */
function sourceOf(content: Buffer, breaks: readonly number[] = []) {
  const offsets: number[] = []
  const left = [...breaks]
  const buffer = Buffer.alloc(PIECE)
  const source = {
    async *blob(_repository: string, _blob: unknown, offset = 0) {
      offsets.push(offset)
      const end = left.shift() ?? content.length
      for (let at = offset; at < end; at += PIECE)
        yield buffer.subarray(0, content.copy(buffer, 0, at, Math.min(at + PIECE, end)))
      if (end < content.length) throw new CarryallError('NET_UNAVAILABLE', 'Broken', { retryable: true })
    },
  } as unknown as Source
  const opener = blobOpener(source, 'a', descriptor, { retry: retryPolicy({ sleep: async () => {} }) })
  return { opener, offsets }
}

async function take(chunks: AsyncIterable<Buffer>, most = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const chunk of chunks) {
    parts.push(Buffer.from(chunk))
    size += chunk.length
    if (size >= most) break
  }
  return Buffer.concat(parts)
}

const flipped = (at: number) => {
  const wrong = Buffer.from(bytes)
  wrong[at]! ^= 1
  return wrong
}

test('opened in the middle it begins there, and the end proves the whole', async () => {
  const { opener, offsets } = sourceOf(bytes)
  expect((await take(opener(), 4 * PIECE)).equals(bytes.subarray(0, 4 * PIECE))).toBe(true)
  for (const offset of [4 * PIECE, 3 * PIECE + 1, 1])
    expect((await take(opener(offset))).equals(bytes.subarray(offset))).toBe(true)
  expect(offsets).toEqual([0, 4 * PIECE, 3 * PIECE + 1, 1])
})

test.each([0, PIECE + 1, 4 * PIECE - 1, 4 * PIECE, bytes.length - 1])(
  'a wrong byte at %i is found by the pieces together, and a right one after it',
  async (at) => {
    const { opener } = sourceOf(flipped(at))
    await take(opener(), 4 * PIECE)
    await expect(take(opener(3 * PIECE + 5))).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' })
  },
)

test('a part that nobody read is read for the proof, and not given', async () => {
  const { opener, offsets } = sourceOf(bytes)
  expect((await take(opener(5 * PIECE + 3))).equals(bytes.subarray(5 * PIECE + 3))).toBe(true)
  expect(offsets).toEqual([0])
  const wrong = sourceOf(flipped(PIECE))
  await expect(take(wrong.opener(5 * PIECE))).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' })
})

test('opened at its first byte it is proven anew', async () => {
  const content = flipped(1)
  const { opener } = sourceOf(content)
  await expect(take(opener())).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' })
  bytes.copy(content)
  expect((await take(opener())).equals(bytes)).toBe(true)
})

test('the end is the same for the second who comes there', async () => {
  const { opener } = sourceOf(bytes)
  await take(opener())
  expect((await take(opener(9 * PIECE))).equals(bytes.subarray(9 * PIECE))).toBe(true)
})

test('a connection that breaks is gone on with, in the middle as well', async () => {
  const { opener, offsets } = sourceOf(bytes, [3 * PIECE, 5 * PIECE, 6 * PIECE, 7 * PIECE])
  await take(opener(), 4 * PIECE)
  expect((await take(opener(2 * PIECE))).equals(bytes.subarray(2 * PIECE))).toBe(true)
  expect(offsets).toEqual([0, 3 * PIECE, 2 * PIECE, 6 * PIECE, 7 * PIECE])
})

test.each([
  ['fewer', bytes.subarray(0, 8 * PIECE)],
  ['more', Buffer.concat([bytes, bytes])],
])('%s bytes than declared are SIZE_MISMATCH', async (_what, content) => {
  const { opener } = sourceOf(content)
  await take(opener(), 4 * PIECE)
  await expect(take(opener(2 * PIECE))).rejects.toMatchObject({ code: 'SIZE_MISMATCH' })
})
