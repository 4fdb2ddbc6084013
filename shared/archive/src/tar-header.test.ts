import { createHash } from 'node:crypto'
import type { CarryallError } from '@carryall/errors'
import { describe, expect, test } from 'vitest'
import { BLOCK } from './block.ts'
import { tarHeader } from './tar-header.ts'

const GIB_8 = 8 * 1024 ** 3
const BLOB = `docker/registry/v2/blobs/sha256/ab/${'ab'.repeat(32)}/data`

describe('tarHeader', () => {
  // Published archives live for years: another header for the same entry would be another archive.
  test.each([
    ['a short name', 'a', 0, 1, '2d78a75586138ff105aa3de973117b6251bab405b599690241f4b5fbc169df1d'],
    ['99 bytes', 'n'.repeat(99), 1, 1, 'bd18ba9ad56939d5c4af12fdbb5298877ab9863b59ba75bab98b3a258ca28981'],
    [
      '100 bytes without a slash',
      'n'.repeat(100),
      1,
      3,
      '3cedc2bb699d8a7ca2cf1c96809621dc656a5e745b35034383a982dafabc933b',
    ],
    [
      'a blob, by prefix and name',
      BLOB,
      4711,
      1,
      '6eea488894245c9a5ec69f519029c299b29836b739ca325fe9a8f5cca40b8ccf',
    ],
    [
      'a prefix of 155 and a name of 100',
      `${'p'.repeat(155)}/${'n'.repeat(100)}`,
      1,
      1,
      '38d21c64c7737617ecf45463473485ed45f9f30b664c1fcca9f7cc5d19a75b4e',
    ],
    [
      'a prefix of 156',
      `${'p'.repeat(156)}/${'n'.repeat(99)}`,
      1,
      3,
      '823323578ad5837b5d4e6dc0a96d47ecf4e13ee4a04c414cb57bfa84f2b3fbdb',
    ],
    [
      'other letters than ASCII',
      'größe/漢字',
      5,
      3,
      '1851b13ce80c3e171e20ad05371e85705197404381d06e0fa7faf804cc7953fb',
    ],
    [
      'the largest octal size',
      'large',
      GIB_8 - 1,
      1,
      '2776a08ba7ce7841a2c655e80a7f5f3a83f1101176d08073c7efa1747bd7cd9c',
    ],
    ['8 GiB', 'large', GIB_8, 3, '5fbe419b455960893fe4beb8b9e8383f58daeb5f4a1bbdd99a0ebf2ba2644ff8'],
    [
      'a name and a size for PAX',
      `${'x/'.repeat(200)}end`,
      3 * GIB_8,
      3,
      '87fd698fdbde5b90ef6c38b7c8c486f872b1a302c996abe5dfea4bec4d4887a1',
    ],
    [
      'a name that needs two blocks of records',
      `${'part/'.repeat(120)}end`,
      7,
      4,
      'f6ce6c642711e4f583ed53bb41eb39911873c7a175d26c9f7209784262e1d760',
    ],
  ])('has frozen bytes: %s', (_what, name, size, blocks, digest) => {
    const header = tarHeader({ name, size })
    expect(header.length).toBe(blocks * BLOCK)
    expect(createHash('sha256').update(header).digest('hex')).toBe(digest)
  })

  test('holds only the name and the size', () => {
    const header = tarHeader({ name: 'dir/file', size: 513 })
    const expected = Buffer.alloc(BLOCK)
    const fields: readonly [number, string][] = [
      [0, 'dir/file'],
      [100, '000644 \x00000000 \x00000000 \x00'],
      [124, '0000001001 \x000000000000 \x00'],
      [156, '0'],
      [257, 'ustar\x0000'],
      [329, '000000 \x00000000 \x00'],
    ]
    for (const [at, text] of fields) expected.write(text, at)
    const sum = expected.reduce((total, byte) => total + byte, 8 * 0x20)
    expected.write(`${sum.toString(8).padStart(6, '0')} \x00`, 148)
    expect(header.toString('latin1')).toBe(expected.toString('latin1'))
  })

  test('says in PAX what does not fit, and no more', () => {
    const name = `${'d/'.repeat(150)}f`
    const blocks = tarHeader({ name, size: GIB_8 }).toString('latin1')
    expect(blocks.slice(0, 14)).toBe('././@PaxHeader')
    expect(blocks.slice(BLOCK, BLOCK + 336).replace(/\0+$/, '')).toBe(
      `311 path=${name}\n19 size=8589934592\n`,
    )
  })

  test.each([
    '',
    '/absolute',
    'a//b',
    './a',
    'a/.',
    '../a',
    'a/../b',
    'a/',
    'a\\b',
    'a\0b',
    'a\nb',
    'a\x7fb',
    'lone\ud800surrogate',
  ])('refuses the name %j', (name) => {
    expect(() => tarHeader({ name, size: 1 })).toThrow(
      expect.objectContaining({ code: 'PATH_UNSAFE' }) as CarryallError,
    )
  })

  test('refuses a name of more than 4096 bytes or with a part of more than 255', () => {
    for (const name of [`${'a/'.repeat(2048)}b`, 'a'.repeat(256)]) {
      expect(() => tarHeader({ name, size: 1 })).toThrow(
        expect.objectContaining({ code: 'PATH_UNSAFE' }) as CarryallError,
      )
    }
    expect(tarHeader({ name: `${'a/'.repeat(2047)}bc`, size: 1 }).length).toBeGreaterThan(4096)
  })

  test.each([-1, 0.5, Number.NaN, 2 ** 53])('refuses the size %d', (size) => {
    expect(() => tarHeader({ name: 'a', size })).toThrow(RangeError)
  })
})
