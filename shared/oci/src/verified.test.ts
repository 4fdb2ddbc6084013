import { expect, test } from 'vitest'
import { sampleBlob } from './testing/index.ts'
import { verified } from './verified.ts'

const { descriptor, bytes } = sampleBlob({ seed: 'verified', size: 1000 })

async function* cut(content: Buffer, size: number) {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size)
}

test('the right bytes pass, in any pieces', async () => {
  for (const size of [1, 7, 1000, 5000]) {
    expect(Buffer.concat(await Array.fromAsync(verified(cut(bytes, size), descriptor))).equals(bytes)).toBe(
      true,
    )
  }
  const empty = sampleBlob('')
  expect(await Array.fromAsync(verified(cut(empty.bytes, 1), empty.descriptor))).toEqual([])
})

test.each([0, 500, 999])('a flipped bit in byte %i is DIGEST_MISMATCH', async (at) => {
  const wrong = Buffer.from(bytes)
  wrong[at]! ^= 1
  await expect(Array.fromAsync(verified(cut(wrong, 100), descriptor))).rejects.toMatchObject({
    code: 'DIGEST_MISMATCH',
    details: { expected: descriptor.digest },
  })
})

test('a byte too few is SIZE_MISMATCH; with one too many the rest is not read', async () => {
  await expect(Array.fromAsync(verified(cut(bytes.subarray(1), 100), descriptor))).rejects.toMatchObject({
    code: 'SIZE_MISMATCH',
    details: { actual: 999 },
  })
  let given = 0
  async function* endless() {
    for (;;) {
      given += 1
      yield Buffer.alloc(100)
    }
  }
  await expect(Array.fromAsync(verified(endless(), descriptor))).rejects.toMatchObject({
    code: 'SIZE_MISMATCH',
    exit: 82,
  })
  expect(given).toBe(11)
})
