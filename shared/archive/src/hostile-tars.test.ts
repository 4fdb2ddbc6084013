import { describe, expect, test } from 'vitest'
import { readTarStream } from './read-tar-stream.ts'
import { END, paxHeader, paxRecord, type RawFields, rawEntry, rawHeader } from './testing/raw-tar.ts'

type Case = readonly [what: string, ...parts: readonly Buffer[]]

const GNU = 'ustar  \0'
const file = (name: string | Buffer, fields: RawFields = {}) => rawEntry({ name, ...fields }, 'data')
const gnu = (name: string, fields: RawFields = {}) => file(name, { magic: GNU, ...fields })
const directory = (name: string) => rawEntry({ name, type: '5' })
const symlink = (name: string, link: string, fields: RawFields = {}) =>
  rawEntry({ name, link, type: '2', ...fields })
const hardlink = (name: string, link: string, fields: RawFields = {}) =>
  rawEntry({ name, link, type: '1', ...fields })
const pax = (...records: readonly (readonly [string, string | Buffer])[]) =>
  paxHeader(records.map(([key, value]) => paxRecord(key, value)))
const named = (path: string | Buffer) => Buffer.concat([pax(['path', path]), file('stand-in')])
const base256 = (hex: string) => Buffer.from(hex.padStart(24, '0').slice(-24), 'hex')
const longName = (name: string, type: 'L' | 'K' = 'L', fields: RawFields = {}) =>
  rawEntry({ name: '././@LongLink', type, magic: GNU, ...fields }, `${name}\0`)

const UNSAFE = 'PATH_UNSAFE'
const REFUSED = 'ARCHIVE_ENTRY_REFUSED'
const MALFORMED = 'ARCHIVE_MALFORMED'

/** By kind of the advisories on tar readers; each archive is otherwise whole. */
const CLASSES: readonly (readonly [kind: string, code: string, cases: readonly Case[]])[] = [
  [
    'absolute paths',
    UNSAFE,
    [
      ['a root', file('/etc/passwd')],
      ['two slashes', file('//etc/passwd')],
      ['three slashes', file('///etc/passwd')],
      ['a slash behind ./', file('.//etc/passwd')],
      ['two slashes behind ./', file('.///etc/passwd')],
      ['a prefix', file('passwd', { prefix: '/etc' })],
      ['PAX', named('/etc/passwd')],
      ['PAX behind ./', named('.//etc/passwd')],
      ['GNU', gnu('/etc/passwd')],
      ['a directory', directory('/etc/')],
      ['the root itself', directory('/')],
    ],
  ],
  [
    'parents',
    UNSAFE,
    [
      ['in front', file('../a')],
      ['in the middle', file('a/../../b')],
      ['that come back', file('a/../b')],
      ['at the end', file('a/..')],
      ['alone', file('..')],
      ['behind ./', file('./../a')],
      ['behind ././', file('././../a')],
      ['in the prefix', file('a', { prefix: '..' })],
      ['between prefix and name', file('../a', { prefix: 'd' })],
      ['by PAX', named('../a')],
      ['by PAX behind ./', named('./../a')],
      ['by GNU', gnu('../../a')],
      ['as a directory', directory('d/../..')],
      ['with an overlong slash', file(Buffer.from([0x2e, 0x2e, 0xc0, 0xaf, 0x61]))],
    ],
  ],
  [
    'other names of the same',
    UNSAFE,
    [
      ['a dot in the middle', file('a/./b')],
      ['a dot at the end', file('a/.')],
      ['two dots in front', file('././a')],
      ['an empty part', file('a//b')],
      ['a slash at the end', file('a/')],
      ['nothing', file('')],
      ['a file of the name ./', file('./')],
      ['a file of the name .', file('.')],
    ],
  ],
  [
    'backslashes',
    UNSAFE,
    [
      ['between', file('a\\b')],
      ['in front', file('\\a')],
      ['as a parent', file('..\\a')],
      ['as a parent in the middle', file('a/..\\..\\b')],
      ['at the end of a directory', directory('a\\')],
      ['by PAX', named('a\\b')],
      ['as a network path', file('\\\\host\\share')],
    ],
  ],
  [
    'drives',
    UNSAFE,
    [
      ['absolute', file('C:\\a')],
      ['relative', file('c:..\\..\\a')],
      ['a parent behind it', file('c:a/../../b')],
      ['long form', file('\\\\?\\C:\\a')],
      ['a device', file('\\\\.\\C:')],
      ['by PAX', named('C:\\a')],
      ['with a slash and a parent', named('C:/../a')],
    ],
  ],
  [
    'control characters and other bytes',
    UNSAFE,
    [
      ['a newline', file('a\nb')],
      ['a carriage return', file('a\rb')],
      ['an escape sequence', file('\x1b[2Ja')],
      ['delete', file('a\x7f')],
      ['C1', file('a\u009bb')],
      ['not UTF-8', file(Buffer.from([0x61, 0xff]))],
      ['a surrogate', named(Buffer.from([0xed, 0xa0, 0x80]))],
      ['cut UTF-8', file(Buffer.from([0x61, 0xe6, 0xbc]))],
    ],
  ],
  [
    'NUL in a PAX path',
    UNSAFE,
    [
      ['in the middle', named('a\0b')],
      ['in front', named('\0a')],
      ['at the end', named('a\0')],
      ['alone', named('\0')],
      ['before a parent', named('a\0/../b')],
      ['behind a parent', named('../\0')],
    ],
  ],
  [
    'deep nesting and long names',
    UNSAFE,
    [
      ['2,049 directories', named(`${'x/'.repeat(2048)}x`)],
      ['30,000 directories', named(`${'x/'.repeat(30_000)}x`)],
      ['2,049 directories as a directory', pax(['path', 'x/'.repeat(2049)]), directory('d')],
      ['a part of 256 bytes', named('x'.repeat(256))],
      ['a part of 60,000 bytes', named('x'.repeat(60_000))],
      ['a part of 86 letters of 3 bytes', named('漢'.repeat(86))],
    ],
  ],
  [
    'links',
    REFUSED,
    [
      ['symbolic, absolute', symlink('a', '/etc/passwd')],
      ['symbolic, a parent', symlink('a', '../..')],
      ['symbolic, to nothing', symlink('a', '')],
      ['symbolic, inside', file('b'), symlink('a', 'b')],
      ['symbolic, with data', rawEntry({ name: 'a', type: '2', link: 'b' }, 'data')],
      ['symbolic, GNU', symlink('a', '/etc', { magic: GNU })],
      ['hard, absolute', hardlink('a', '/etc/passwd')],
      ['hard, a parent', hardlink('a', '../../a')],
      ['hard, to itself', hardlink('a', 'a')],
      ['hard, inside', file('b'), hardlink('a', 'b')],
      ['hard, to a drive', hardlink('a', 'C:../a')],
      ['hard, with data', rawEntry({ name: 'a', type: '1', link: 'b' }, 'data')],
      ['by PAX', pax(['linkpath', '/etc/passwd']), symlink('a', 'b')],
      ['by PAX, with NUL', pax(['linkpath', 'b\0/../../c']), hardlink('a', 'b')],
      ['by PAX, on a file', pax(['linkpath', '/etc/passwd']), file('a')],
    ],
  ],
  [
    'a link and a file through it',
    REFUSED,
    [
      ['symbolic, then below', symlink('a', '/etc'), file('a/passwd')],
      ['a directory that becomes a link', directory('a'), symlink('b', 'a'), file('b/c')],
      ['a directory replaced by a link', directory('a'), symlink('a', '/etc'), file('a/passwd')],
      ['two links in a chain', symlink('a', 'b'), symlink('b', '/etc'), file('a/passwd')],
      ['a hard link through a symbolic one', symlink('a', '/etc'), hardlink('b', 'a/passwd'), file('b')],
      ['a hard link through two', symlink('a', '.'), symlink('b', 'a/..'), hardlink('c', 'b/d')],
      ['a link with a slash', symlink('a/', '/etc'), file('a/passwd')],
      ['a link in another normal form', symlink('\u00e4', '/etc'), file('a\u0308/passwd')],
    ],
  ],
  [
    'what is no content',
    REFUSED,
    [
      ['a character device', rawEntry({ type: '3' })],
      ['a block device', rawEntry({ type: '4' })],
      ['a FIFO', rawEntry({ type: '6' })],
      ['a contiguous file', rawEntry({ type: '7' })],
      ['a FIFO by GNU', rawEntry({ type: '6', magic: GNU })],
      ['a directory dump', rawEntry({ type: 'D', magic: GNU })],
      ['a part of another volume', rawEntry({ type: 'M', magic: GNU })],
      ['a label', rawEntry({ type: 'V', magic: GNU })],
      ['an old long name', rawEntry({ type: 'N', magic: GNU })],
      ['a Solaris header', rawEntry({ type: 'X' })],
      ['a type of letters', rawEntry({ type: 'Z' })],
    ],
  ],
  [
    'GNU long names',
    REFUSED,
    [
      ['for a file', longName('harmless'), gnu('a')],
      ['absolute', longName('/etc/passwd'), gnu('a')],
      ['a parent', longName('../a'), gnu('a')],
      ['for a link', longName('/etc/passwd', 'K'), symlink('a', 'b', { magic: GNU })],
      ['both', longName('/etc', 'K'), longName('../a'), symlink('a', 'b', { magic: GNU })],
      ['in ustar', longName('a', 'L', { magic: 'ustar\x0000' }), file('a')],
      ['at the end', file('a'), longName('b')],
      // The size of the PAX header would be applied to the name, and so hide what follows.
      ['under a PAX size', pax(['size', '1024']), longName('a'), file('b'), file('c')],
      ['under a PAX path', pax(['path', 'b']), longName('a'), file('c')],
      ['of 4 GiB', rawHeader({ type: 'L', magic: GNU, size: 4 * 1024 ** 3 })],
    ],
  ],
  [
    'sparse files',
    REFUSED,
    [
      ['of GNU', rawEntry({ type: 'S', magic: GNU })],
      ['of PAX 0.0', pax(['GNU.sparse.size', '100'], ['GNU.sparse.numblocks', '0']), file('a')],
      ['of PAX 0.1', pax(['GNU.sparse.map', '0,512'], ['GNU.sparse.size', '100']), file('a')],
      ['of PAX 1.0', pax(['GNU.sparse.major', '1'], ['GNU.sparse.minor', '0']), file('a')],
      ['with a name of their own', pax(['GNU.sparse.name', '../a']), file('a')],
      ['of another real size', pax(['GNU.sparse.realsize', '99999999999']), file('a')],
      ['of star', pax(['SCHILY.realsize', '100']), file('a')],
    ],
  ],
  [
    'another meaning of the rest',
    REFUSED,
    [
      ['a path for all', paxHeader([paxRecord('path', 'a')], { type: 'g' }), file('b')],
      ['a size for all', paxHeader([paxRecord('size', '4')], { type: 'g' }), file('b')],
      ['a link for all', paxHeader([paxRecord('linkpath', '/etc')], { type: 'g' }), file('b')],
      ['binary names', pax(['hdrcharset', 'BINARY']), file('b')],
      ['binary names for all', paxHeader([paxRecord('hdrcharset', 'BINARY')], { type: 'g' }), file('b')],
      ['another file type', pax(['SCHILY.filetype', 'sparse']), file('b')],
    ],
  ],
  [
    'sparse maps and other times behind a GNU header',
    MALFORMED,
    [
      ['an access time', gnu('a', { prefix: '14702310512' })],
      ['a prefix', gnu('a', { prefix: '../..' })],
      ['a map', gnu('a', { prefix: `${'\0'.repeat(41)}00000000000` })],
      ['a real size', gnu('a', { prefix: `${'\0'.repeat(138)}00000000400` })],
      ['the trailer of star', gnu('a', { rest: '\0\0\0\0\0\0\0\0tar\0' })],
      ['a link name', gnu('a', { link: '/etc/passwd' })],
    ],
  ],
  [
    'names that are one',
    MALFORMED,
    [
      ['twice', file('a'), file('a')],
      ['with ./ and without', file('a'), file('./a')],
      ['composed and decomposed', file('\u00e4'), file('a\u0308')],
      ['Angstrom and A with ring', file('\u212b'), file('\u00c5')],
      ['ohm and omega', file('\u2126'), file('\u03a9')],
      ['Hangul and Jamo', file('\u{ac00}'), file('\u1100\u1161')],
      ['marks in another order', file('a\u0323\u0307'), file('a\u0307\u0323')],
      ['file and directory', file('\u00e4'), directory('a\u0308')],
      ['ustar and PAX', file('a'), named('a')],
      ['ustar and GNU', file('a'), gnu('a')],
      ['prefix and whole', file('a/b'), file('b', { prefix: 'a' })],
    ],
  ],
  [
    'smuggling by PAX size',
    MALFORMED,
    [
      ['smaller', pax(['size', '0']), file('a')],
      ['larger', pax(['size', '1024']), file('a')],
      ['over an empty file, hiding the next', pax(['size', '1024']), rawHeader(), file('hidden')],
      ['by one', pax(['size', '5']), file('a')],
      ['just below 8 GiB', pax(['size', String(8 * 1024 ** 3 - 1)]), rawHeader()],
      ['for a directory', pax(['size', String(8 * 1024 ** 3)]), directory('d')],
      ['twice', pax(['size', '4'], ['size', '1024']), file('a')],
      ['two headers', pax(['size', '4']), pax(['path', 'b']), file('a')],
      ['over a GNU size', pax(['size', '512']), gnu('a')],
      ['in a header with the GNU magic', paxHeader([paxRecord('size', '4')], { magic: GNU }), file('a')],
      ['for nothing', file('a'), pax(['size', '4'])],
      ['in octal', pax(['size', '04']), file('a')],
      ['with an exponent', pax(['size', '4e0']), file('a')],
      ['negative', pax(['size', '-4']), file('a')],
      ['with NUL', pax(['size', '4\0']), file('a')],
      ['of nothing', pax(['size', '']), file('a')],
    ],
  ],
  [
    'negative and other sizes',
    MALFORMED,
    [
      ['minus one', file('a', { size: base256('f'.repeat(24)) })],
      ['minus 512', file('a', { size: base256(`${'f'.repeat(20)}fe00`) })],
      ['minus one, GNU', gnu('a', { size: base256('f'.repeat(24)) })],
      ['minus 512, GNU', gnu('a', { size: base256(`${'f'.repeat(20)}fe00`) })],
      ['least, GNU', gnu('a', { size: base256('ff8000000000000000000000') })],
      ['base-256 in ustar', file('a', { size: base256(`80${'0'.repeat(12)}0200000000`) })],
      ['base-256 for what octal can say, GNU', gnu('a', { size: base256(`80${'0'.repeat(21)}4`) })],
      ['base-256 of zero, GNU', gnu('a', { size: base256(`80${'0'.repeat(22)}`) })],
      ['base-256 with its sign bit, GNU', gnu('a', { size: base256(`c0${'0'.repeat(12)}0200000000`) })],
      ['base-256 beyond exact numbers, GNU', gnu('a', { size: base256('800000000020000000000001') })],
      ['largest base-256, GNU', gnu('a', { size: base256(`80${'f'.repeat(22)}`) })],
      ['a minus sign', file('a', { size: '-0000000004\0' })],
      ['a digit 8', file('a', { size: '00000000008\0' })],
      ['no end', file('a', { size: '000000000004' })],
      ['nothing', file('a', { size: Buffer.alloc(12) })],
      ['nothing, GNU', gnu('a', { size: Buffer.alloc(12) })],
    ],
  ],
  [
    'huge sizes',
    MALFORMED,
    [
      ['largest octal', rawHeader({ size: 8 * 1024 ** 3 - 1 })],
      ['8 GiB by PAX', pax(['size', String(8 * 1024 ** 3)]), rawHeader()],
      ['largest exact number by PAX', pax(['size', String(Number.MAX_SAFE_INTEGER)]), rawHeader()],
      ['beyond exact numbers by PAX', pax(['size', String(2n ** 53n)]), rawHeader()],
      ['beyond 64 bits by PAX', pax(['size', String(2n ** 64n + 4n)]), rawHeader()],
      ['8 EiB by GNU', gnu('a', { size: base256('808000000000000000000000') })],
      ['1 TiB by GNU', rawHeader({ magic: GNU, size: base256(`80${'0'.repeat(10)}010000000000`) })],
      ['a PAX header of 8 GiB', rawHeader({ type: 'x', size: 8 * 1024 ** 3 - 1 })],
      ['a PAX header of 65 KiB', pax(['comment', 'c'.repeat(66_000)]), file('a')],
      [
        'a PAX header for all of 65 KiB',
        paxHeader([paxRecord('comment', 'c'.repeat(66_000))], { type: 'g' }),
      ],
      ['a directory with data', rawEntry({ type: '5', name: 'd' }, 'data')],
      ['the top directory with data', rawEntry({ type: '5', name: './' }, 'data')],
    ],
  ],
  [
    'headers that readers take for others',
    MALFORMED,
    [
      ['a wrong checksum', file('a', { checksum: '000000\0 ' })],
      ['a checksum of blanks', file('a', { checksum: ' '.repeat(8) })],
      ['no magic', file('a', { magic: '' })],
      ['half the magic of GNU', file('a', { magic: 'ustar \0\0' })],
      ['another version', file('a', { magic: 'ustar\x0001' })],
      ['a name behind the name', file('a\0b')],
      ['a PAX record too long', paxHeader(['99 path=a\n']), file('a')],
      ['a PAX record of zero', paxHeader(['0 path=a\n']), file('a')],
      ['an unknown PAX key', pax(['realtime', '1']), file('a')],
      ['a PAX key with NUL', pax(['path\0', 'a']), file('a')],
      ['padding that says something', file('a').fill('x', 1020)],
      ['a single zero block between', file('a'), Buffer.alloc(512), file('b')],
      ['one compressed by gzip', Buffer.from('1f8b0800'.padEnd(2048, '0'), 'hex')],
    ],
  ],
]

describe.each(CLASSES)('refuses %s', (_kind, code, cases) => {
  test.each(cases.map(([what, ...parts]) => [what, parts] as const))('%s', async (_what, parts) => {
    const source = [Buffer.concat([...parts, END])].values()
    const read = async () => {
      for await (const { size, chunks } of readTarStream(asynchronous(source))) {
        let count = 0
        for await (const chunk of chunks()) count += chunk.length
        expect(count).toBe(size)
      }
    }
    await expect(read()).rejects.toMatchObject({ code, details: { location: { file: 'the stream' } } })
  })
})

async function* asynchronous(buffers: Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield* buffers
}
