import { describe, expect, test } from 'vitest'
import { readBoth } from './testing/read-both.ts'
import { END, paxHeader, paxRecord, rawEntry, rawHeader } from './testing/raw-tar.ts'

const longPath = paxRecord('path', 'named/by/pax')
const base256 = (first: number, ...rest: readonly number[]) =>
  Buffer.from([first, ...Array<number>(11 - rest.length).fill(first === 0xff ? 0xff : 0), ...rest])

describe('refuses', () => {
  const kinds = '12346789DKLMNSVXAZ'.split('')
  test.each(kinds)('an entry of type %s', async (type) => {
    const entry = rawEntry({ type, link: type < '3' ? '/etc/passwd' : '' })
    await expect(readBoth(entry, END)).rejects.toMatchObject({
      code: 'ARCHIVE_ENTRY_REFUSED',
      details: { location: { offset: 0 } },
    })
  })
  const global = (record: Buffer) => [paxHeader([record], { type: 'g' }), rawEntry()]
  test.each<[string, number, Buffer[]]>([
    ['a hard link to itself', 0, [rawEntry({ type: '1', name: 'a', link: 'a' })]],
    ['a symbolic link with data', 0, [rawEntry({ type: '2', name: 'a', link: '..' }, 'data')]],
    ['a symbolic link to nothing', 0, [rawEntry({ type: '2', name: 'a' })]],
    ['a link behind a file', 1024, [rawEntry({}, 'x'), rawEntry({ type: '2', name: 'a', link: 'file' })]],
    ['a link by PAX', 512, [paxHeader([paxRecord('linkpath', '/etc')]), rawEntry({ type: '2' })]],
    ['a PAX link name on a file', 512, [paxHeader([paxRecord('linkpath', '/etc')]), rawEntry()]],
    ['GNU sparse 0.0', 512, [paxHeader([paxRecord('GNU.sparse.size', '100')]), rawEntry()]],
    ['GNU sparse 1.0', 512, [paxHeader([paxRecord('GNU.sparse.major', '1')]), rawEntry()]],
    [
      'a GNU sparse name',
      512 + longPath.length,
      [paxHeader([longPath, paxRecord('GNU.sparse.name', 'other')]), rawEntry()],
    ],
    ['a sparse file of star', 512, [paxHeader([paxRecord('SCHILY.realsize', '100')]), rawEntry()]],
    ['another character set', 512, [paxHeader([paxRecord('hdrcharset', 'BINARY')]), rawEntry()]],
    ['a global path', 512, global(longPath)],
    ['a global size', 512, global(paxRecord('size', '5'))],
    ['a global character set', 512, global(paxRecord('hdrcharset', 'BINARY'))],
  ])('%s', async (_what, offset, parts) => {
    await expect(readBoth(...parts, END)).rejects.toMatchObject({
      code: 'ARCHIVE_ENTRY_REFUSED',
      details: { location: { offset } },
    })
  })

  const names = [
    '/etc/passwd',
    '//a',
    '/',
    '',
    '.',
    './a',
    '..',
    '../a',
    'a/../../b',
    'a/..',
    'a//b',
    'a/',
    'a\\b',
    '..\\b',
    'C:\\a',
    '\\\\host\\a',
    'a\\',
    'a\nb',
    '\x1b[2Ja',
    'a\x7f',
    'a\rb',
  ]
  test.each(names)('the name %j in ustar', async (name) => {
    await expect(readBoth(rawEntry({ name }), END)).rejects.toMatchObject({
      code: 'PATH_UNSAFE',
      details: { location: { offset: 0 } },
    })
  })
  test.each([...names, 'a\0b', '\0', 'a\0', 'a\0/../b', '../\0'])('the name %j in PAX', async (name) => {
    await expect(readBoth(paxHeader([paxRecord('path', name)]), rawEntry(), END)).rejects.toMatchObject({
      code: 'PATH_UNSAFE',
    })
  })
  test.each([
    ['a prefix', rawEntry({ prefix: '..', name: 'a' })],
    ['an absolute prefix', rawEntry({ prefix: '/etc', name: 'passwd' })],
    ['a prefix and no name', rawEntry({ prefix: 'a', name: '' })],
    ['a directory', rawEntry({ type: '5', name: '../' })],
    ['the root directory', rawEntry({ type: '5', name: './' })],
    ['a directory with two slashes', rawEntry({ type: '5', name: 'a//' })],
    ['bytes that are not UTF-8', rawEntry({ name: Buffer.from([0x61, 0xff]) })],
    ['an overlong slash', rawEntry({ name: Buffer.from([0x2e, 0x2e, 0xc0, 0xaf, 0x61]) })],
    [
      'PAX bytes that are not UTF-8',
      Buffer.concat([paxHeader([paxRecord('path', Buffer.from([0xed, 0xa0, 0x80]))]), rawEntry()]),
    ],
    [
      'a part of more than 255 bytes',
      Buffer.concat([paxHeader([paxRecord('path', 'x'.repeat(256))]), rawEntry()]),
    ],
    [
      'more than 4096 bytes',
      Buffer.concat([paxHeader([paxRecord('path', `${'x/'.repeat(2048)}x`)]), rawEntry()]),
    ],
    ['an old directory, by its slash', rawEntry({ type: '\0', name: 'a/' })],
  ])('a name that leads out or astray by %s', async (_what, bytes) => {
    await expect(readBoth(bytes, END)).rejects.toMatchObject({ code: 'PATH_UNSAFE' })
  })

  const file = rawEntry({}, 'data')
  const pax = (...records: readonly (string | Buffer)[]) => [paxHeader(records), rawEntry({}, 'data')]
  test.each<[string, Buffer[], number?]>([
    // Readers that believe the header and readers that believe PAX would see different entries.
    ['PAX size smaller', pax(paxRecord('size', '0')), 1024],
    ['PAX size larger', pax(paxRecord('size', '1024')), 1024],
    [
      'PAX size hides an entry',
      [paxHeader([paxRecord('size', '1024')]), rawHeader({ size: 0 }), rawEntry({ name: 'hidden' })],
      1024,
    ],
    ['PAX size by one', pax(paxRecord('size', '5')), 1024],
    [
      'PAX size of 8 GiB less one over nothing',
      [paxHeader([paxRecord('size', String(8 * 1024 ** 3 - 1))]), rawHeader()],
      1024,
    ],
    ['PAX size not a number', pax(paxRecord('size', 'four')), 512],
    ['PAX size negative', pax(paxRecord('size', '-4')), 512],
    ['PAX size with a sign', pax(paxRecord('size', '+4')), 512],
    ['PAX size octal', pax(paxRecord('size', '04')), 512],
    ['PAX size hexadecimal', pax(paxRecord('size', '0x4')), 512],
    ['PAX size with a fraction', pax(paxRecord('size', '4.0')), 512],
    ['PAX size by exponent', pax(paxRecord('size', '4e0')), 512],
    ['PAX size empty', pax(paxRecord('size', '')), 512],
    ['PAX size with a space', pax(paxRecord('size', ' 4')), 512],
    ['PAX size with a NUL', pax(paxRecord('size', '4\0')), 512],
    ['PAX size beyond exact numbers', pax(paxRecord('size', '9007199254740993')), 512],
    ['PAX size beyond 64 bits', pax(paxRecord('size', '18446744073709551620')), 512],
    ['PAX size twice', pax(paxRecord('size', '4'), paxRecord('size', '4')), 512 + 9],

    ['PAX path twice', pax(longPath, paxRecord('path', 'other')), 512 + longPath.length],
    ['a record that is too long', pax('99 path=a\n'), 512],
    ['a record that is too short', pax('5 path=a\n'), 512],
    ['a record of length 0', pax('0 path=a\n'), 512],
    ['a record of negative length', pax('-9 path=a\n'), 512],
    ['a record with zeros in front', pax('09 path=a\n'), 512],
    ['a record of huge length', pax('99999999999999999999 path=a\n'), 512],
    ['a record without length', pax('path=a\n'), 512],
    ['a record without equals sign', pax('9 pathaa\n'), 512],
    ['a record without end', pax('9 path=aa'), 512],
    ['a record cut by its neighbour', pax('11 mtime=1\n3 =\n'), 523],
    ['NULs between records', pax(longPath, '\0\0'), 512 + longPath.length],
    ['a key that is unknown', pax(paxRecord('realtime', '1')), 512],
    ['a key with a NUL', pax(paxRecord('path\0', 'a')), 512],
    ['a key in capitals', pax(paxRecord('PATH', 'a')), 512],
    ['no key', pax(paxRecord('', 'a')), 512],
    ['too large a PAX header', [paxHeader([paxRecord('comment', 'c'.repeat(65_536))]), file], 0],
    [
      'a PAX header whose padding says something',
      [Buffer.concat([paxHeader([longPath]).subarray(0, -3), Buffer.from('abc')]), file],
      1021,
    ],
    ['two PAX headers in a row', [paxHeader([longPath]), paxHeader([longPath]), file], 0],
    [
      'a PAX header before a global one',
      [paxHeader([longPath]), paxHeader([paxRecord('comment', 'c')], { type: 'g' }), file],
      0,
    ],
    ['a PAX header at the end', [file, paxHeader([longPath])], 1024],

    ['negative base-256', [rawEntry({ size: base256(0xff, 0xfe) })], 124],
    ['base-256 of minus one', [rawEntry({ size: base256(0xff) })], 124],
    ['base-256 of -512', [rawEntry({ size: base256(0xff, 0xfe, 0x00) })], 124],
    ['least base-256', [rawEntry({ size: base256(0xff, 0x80, 0, 0, 0, 0, 0, 0, 0) })], 124],
    ['huge base-256', [rawEntry({ size: Buffer.alloc(12, 0x80).fill(0xff, 1) })], 124],
    ['base-256 that an octal would do for', [rawEntry({ size: base256(0x80, 4) }, 'data')], 124],
    ['a negative octal size', [rawEntry({ size: '-0000000004\0' })], 124],
    ['a size with a digit 8', [rawEntry({ size: '00000000008\0' })], 124],
    ['a size of two numbers', [rawEntry({ size: '0000 000004\0' })], 124],
    ['no size', [rawEntry({ size: Buffer.alloc(12) })], 124],
    ['a size without end', [rawEntry({ size: '000000000004' }, 'data')], 124],
    ['a hexadecimal size', [rawEntry({ size: '0x000000004\0' })], 124],

    ['a wrong checksum', [rawEntry({ checksum: '000000\0 ' })], 148],
    [
      'a checksum off by one',
      [Buffer.concat([rawEntry().subarray(0, 99), Buffer.from([1]), rawEntry().subarray(100)])],
      148,
    ],
    ['an empty checksum', [rawEntry({ checksum: '\0'.repeat(8) })], 148],
    ['a checksum of blanks', [rawEntry({ checksum: ' '.repeat(8) })], 148],
    ['a checksum that is no number', [rawEntry({ checksum: 'abcdef\0 ' })], 148],
    ['a wrong checksum of the second', [file, rawEntry({ name: 'b', checksum: '000001\0 ' })], 1024 + 148],

    ['no magic', [rawEntry({ magic: '' })], 257],
    ['the magic of old GNU', [rawEntry({ magic: 'ustar  \0' })], 257],
    ['another version', [rawEntry({ magic: 'ustar\x0001' })], 257],
    ['the trailer of star', [rawEntry({ rest: '\0\0\0\0\0\0\0\0tar\0' })], 500],
    ['a name behind the name', [rawEntry({ name: 'a\0b' })], 0],
    ['a prefix behind the prefix', [rawEntry({ prefix: `a${'\0'.repeat(130)}14702310512` })], 345],
    ['a file with a link name', [rawEntry({ link: 'a' })], 157],
    ['a directory with data', [rawEntry({ type: '5', name: 'd' }, 'data')], 0],
    [
      'a directory with data by PAX',
      [paxHeader([paxRecord('size', String(8 * 1024 ** 3))]), rawHeader({ type: '5', name: 'd' })],
      1024,
    ],
    ['padding that says something', [file.subarray(0, -1), Buffer.from('x')], 1023],

    ['one name twice', [file, file], 1024],
    [
      'one name in ustar and PAX',
      [rawEntry({ name: 'named/by/pax' }), paxHeader([longPath]), rawEntry()],
      512,
    ],
    ['one name by prefix and whole', [rawEntry({ name: 'a/b' }), rawEntry({ prefix: 'a', name: 'b' })], 512],
    [
      'a file and a directory of one name',
      [rawEntry({ name: 'a' }), rawEntry({ type: '5', name: 'a/' })],
      512,
    ],
    ['two names that are one letter', [rawEntry({ name: 'ä' }), rawEntry({ name: 'a\u0308' })], 512],
    ['a directory twice', [rawEntry({ type: '5', name: 'a' }), rawEntry({ type: '5', name: 'a/' })], 512],
  ])('%s', async (_what, parts, offset) => {
    await expect(readBoth(...parts, END)).rejects.toMatchObject({
      code: 'ARCHIVE_MALFORMED',
      details: { location: { offset } },
    })
  })

  test('an archive that ends early, at every byte', async () => {
    const whole = Buffer.concat([paxHeader([longPath]), rawEntry({}, 'data'), END])
    for (let size = 0; size < whole.length; size += size % 512 === 1 ? 509 : 1) {
      await expect(readBoth(whole.subarray(0, size))).rejects.toMatchObject({ code: 'ARCHIVE_MALFORMED' })
    }
    expect(await readBoth(whole)).toHaveLength(1)
  })

  test.each<[string, Buffer[]]>([
    ['one zero block', [END.subarray(512)]],
    ['one zero block before another entry', [END.subarray(512), rawEntry({ name: 'b' }), END]],
    ['an entry', [END, rawEntry({ name: 'b' }), END]],
    ['one byte', [END, Buffer.from('x')]],
    ['one zero byte', [END, Buffer.alloc(1)]],
    ['a block with one byte', [END, Buffer.alloc(511), Buffer.from('x')]],
    ['a byte after much', [END, Buffer.alloc(99_999), Buffer.from('x'), Buffer.alloc(352)]],
    ['another archive', [END, rawEntry({}, 'data'), END]],
  ])('an end followed by %s', async (_what, tail) => {
    await expect(readBoth(rawEntry({}, 'data'), ...tail)).rejects.toMatchObject({ code: 'ARCHIVE_MALFORMED' })
  })
})
