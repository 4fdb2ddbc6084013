import { truncateSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeScratch } from '../testing/scratch.ts'
import { deviceSize } from './device-size.ts'

test.each([0, 512, 1024, 64 * 1024 - 512, 64 * 1024, 64 * 1024 + 512, 4_700_372_992, 2 ** 40 + 512])(
  'finds a size of %d bytes',
  async (size) => {
    using scratch = makeScratch()
    scratch.write({ disc: '' })
    truncateSync(join(scratch.path, 'disc'), size)
    await using handle = await open(join(scratch.path, 'disc'))
    expect(await deviceSize(handle)).toBe(size)
  },
)

test('takes a block that cannot be read for one that is there', async () => {
  const end = 300_000 * 512
  const bad = new Set([end - 512, end - 1024])
  const read = (_buffer: Buffer, _offset: number, _length: number, position: number) => {
    if (bad.has(position - (position % 512)))
      return Promise.reject(Object.assign(new Error('EIO'), { code: 'EIO' }))
    return Promise.resolve({ bytesRead: position < end ? 1 : 0 })
  }
  expect(await deviceSize({ read })).toBe(end)
})
