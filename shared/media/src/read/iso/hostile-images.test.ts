import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  AREAS,
  both32,
  ce,
  DIRECTORY,
  FILE,
  nm,
  px,
  type RawImage,
  type RawNode,
  rawIso,
  SP,
  use,
} from '../testing/raw-iso.ts'
import { makeScratch, readVolumes, VOLUME } from '../testing/scratch.ts'

type Case = readonly [what: string, image: () => Buffer]

const SECTOR = 2048
const INVALID = 'VOLUME_INVALID'
const UNSAFE = 'PATH_UNSAFE'
const UNEXPECTED = 'FILE_UNEXPECTED'

const file = (id: string, fields: Partial<RawNode> = {}): RawNode => ({ id, data: 'data', ...fields })
const sums = file('SHA256SU.;1', { name: 'SHA256SUMS' })
const volume = (...children: readonly RawNode[]): RawNode => ({
  id: 'CARRYALL',
  name: VOLUME,
  children: [sums, ...children],
})
/** An image of one volume with these files beside its sums. */
const of =
  (...children: readonly RawNode[]) =>
  () =>
    rawIso([volume(...children)])
const image =
  (options: RawImage, ...children: readonly RawNode[]) =>
  () =>
    rawIso([volume(...children)], options)
/** One whose only other file has a record that is changed. */
const record = (patch: (bytes: Buffer) => void, fields: Partial<RawNode> = {}) =>
  of(file('A.;1', { patch, ...fields }))
const descriptor = (patch: (bytes: Buffer) => void) => image({ patchDescriptor: patch })
const named = (name: string | Buffer) => of(file('A.;1', { name }))
const using = (...entries: readonly Buffer[]) => of(file('A.;1', { use: Buffer.concat(entries) }))
const usingAreas = (areas: Buffer, ...entries: readonly Buffer[]) =>
  image({ areas }, file('A.;1', { use: Buffer.concat(entries) }))
const directoryAt = (at: number, sector: (bytes: Buffer) => Buffer) => (id: string) => ({
  id,
  children: [],
  patch: (bytes: Buffer) => void sector(bytes).copy(bytes, at),
})
/** A directory that says that it is in this sector. */
const leadingTo = (sector: (root: number) => number, id = 'LOOP'): RawNode => ({
  id,
  children: [],
  patch: (bytes, { root }) => void both32(sector(root)).copy(bytes, 2),
})
const plain =
  (...children: readonly RawNode[]) =>
  () =>
    rawIso([file('VOLUME.JSON;1'), ...children], { rockRidge: false })
const nested = (depth: number): RawNode =>
  depth === 0 ? file('A.;1') : { id: 'D', children: [nested(depth - 1)] }
const cut = (size: (whole: Buffer) => number) => () => {
  const whole = of(file('A.;1', { data: 'x'.repeat(5000) }))()
  return whole.subarray(0, size(whole))
}

const CLASSES: readonly (readonly [kind: string, code: string, cases: readonly Case[]])[] = [
  [
    'a volume descriptor',
    INVALID,
    [
      ['without identifier', image({ patch: (bytes) => void bytes.write('CD002', 16 * SECTOR + 1) })],
      ['of another version', descriptor((bytes) => bytes.writeUInt8(2, 6))],
      ['of another file structure', descriptor((bytes) => bytes.writeUInt8(2, 881))],
      ['with blocks of 512 bytes', descriptor((bytes) => Buffer.from([0, 2, 2, 0]).copy(bytes, 128))],
      ['with blocks of 4096 bytes', descriptor((bytes) => Buffer.from([0, 16, 16, 0]).copy(bytes, 128))],
      ['with two sizes of a block', descriptor((bytes) => bytes.writeUInt16BE(512, 130))],
      ['with two sizes of the disc', descriptor((bytes) => bytes.writeUInt32BE(1, 84))],
      ['of a set of discs', descriptor((bytes) => Buffer.from([2, 0, 0, 2]).copy(bytes, 120))],
      ['with two numbers of the disc', descriptor((bytes) => bytes.writeUInt8(9, 124))],
      ['with two roots by byte order', descriptor((bytes) => bytes.writeUInt32BE(20, 156 + 6))],
      ['with two sizes of the root', descriptor((bytes) => bytes.writeUInt32BE(4096, 156 + 14))],
      ['whose root is a file', descriptor((bytes) => bytes.writeUInt8(0, 156 + 25))],
      ['whose root is behind the end', descriptor((bytes) => both32(9999).copy(bytes, 158))],
      [
        'whose root is at the end of all sectors',
        descriptor((bytes) => both32(0xffff_ffff).copy(bytes, 158)),
      ],
      ['whose root is itself', descriptor((bytes) => both32(16).copy(bytes, 158))],
      ['whose root is before it', descriptor((bytes) => both32(0).copy(bytes, 158))],
      ['whose root is empty', descriptor((bytes) => both32(0).copy(bytes, 166))],
      ['whose root has half a sector', descriptor((bytes) => both32(1024).copy(bytes, 166))],
      ['whose root has 4 GiB', descriptor((bytes) => both32(0xffff_f800).copy(bytes, 166))],
      ['whose root record has no length', descriptor((bytes) => bytes.writeUInt8(0, 156))],
      ['whose root record is too long', descriptor((bytes) => bytes.writeUInt8(255, 156))],
      ['that is not the primary', descriptor((bytes) => bytes.writeUInt8(2, 0))],
      ['without an end of the list', image({ patch: (bytes) => void bytes.writeUInt8(0, 17 * SECTOR) })],
      [
        'that repeats for ever',
        () => {
          const whole = of()()
          const [head, primary] = [whole.subarray(0, 16 * SECTOR), whole.subarray(16 * SECTOR, 17 * SECTOR)]
          return Buffer.concat([head, ...Array<Buffer>(100).fill(primary)])
        },
      ],
    ],
  ],
  [
    'a directory record',
    INVALID,
    [
      ['of length 1', record((bytes) => bytes.writeUInt8(1, 0))],
      ['of length 33', record((bytes) => bytes.writeUInt8(33, 0))],
      [
        'that is longer than its sector',
        of(...filler(), file('Z.;1', { patch: (b) => b.writeUInt8(255, 0) })),
      ],
      ['that is shorter than it should be', record((bytes) => bytes.writeUInt8(40, 0))],
      ['of length 0 before another', of(file('A.;1', { patch: (b) => b.writeUInt8(0, 0) }), file('B.;1'))],
      ['of length 0 with content', record((bytes) => bytes.writeUInt8(0, 0))],
      ['whose name is longer than it', record((bytes) => bytes.writeUInt8(255, 32))],
      ['without a name', record((bytes) => bytes.writeUInt8(0, 32))],
      ['with extended attributes', record((bytes) => bytes.writeUInt8(1, 1))],
      ['interleaved by unit', record((bytes) => bytes.writeUInt8(1, 26))],
      ['interleaved by gap', record((bytes) => bytes.writeUInt8(1, 27))],
      ['that is hidden', record((bytes) => bytes.writeUInt8(1, 25))],
      ['that is associated', record((bytes) => bytes.writeUInt8(4, 25))],
      ['of records', record((bytes) => bytes.writeUInt8(8, 25))],
      ['that is protected', record((bytes) => bytes.writeUInt8(16, 25))],
      ['with flags that nobody knows', record((bytes) => bytes.writeUInt8(0x60, 25))],
      ['with two places by byte order', record((bytes) => bytes.writeUInt32BE(20, 6))],
      ['with two sizes by byte order', record((bytes) => bytes.writeUInt32BE(1, 14))],
      ['with two disc numbers', record((bytes) => bytes.writeUInt8(7, 28))],
      ['of a file behind the end', record((bytes) => both32(9999).copy(bytes, 2))],
      ['of a file behind all sectors', record((bytes) => both32(0xffff_ffff).copy(bytes, 2))],
      ['of a file that is a sector too long', record((bytes) => both32(SECTOR + 1).copy(bytes, 10))],
      ['of a file of 4 GiB', record((bytes) => both32(0xffff_ffff).copy(bytes, 10))],
      ['of a directory that is a file', of({ id: 'D', children: [], patch: (b) => b.writeUInt8(0, 25) })],
      ['of a file that is a directory', record((bytes) => bytes.writeUInt8(2, 25))],
      ['of a directory of half a sector', of(directoryAt(10, () => both32(1000))('D'))],
      ['of an empty directory', of(directoryAt(10, () => both32(0))('D'))],
      ['of a directory larger than it is', of(directoryAt(10, () => both32(2 * SECTOR))('D'))],
      [
        'of a directory in several extents',
        of({ id: 'D', children: [], patch: (b) => b.writeUInt8(0x82, 25) }),
      ],
      ['of a directory behind the end', of(leadingTo(() => 9999))],
    ],
  ],
  [
    'a directory that loops',
    INVALID,
    [
      ['to the root', of(leadingTo((root) => root))],
      ['to its parent', of(leadingTo((root) => root + 1))],
      [
        'into data',
        of(
          file('A.;1', { data: Buffer.alloc(SECTOR, 'x') }),
          leadingTo((root) => root + 4),
        ),
      ],
      ['into the descriptors', of(leadingTo(() => 16))],
      ['into zeros', of(leadingTo(() => AREAS))],
      [
        'to its sibling',
        of(
          { id: 'D', children: [] },
          leadingTo((root) => root + 2),
        ),
      ],
      ['as its sibling, also by its own record', copied],
      ['to the root from the root', () => rawIso([volume(), leadingTo((root) => root)])],
      ['without itself in front', dots((bytes) => bytes.writeUInt8(2, 33))],
      ['with another place of itself', dots((bytes) => both32(AREAS).copy(bytes, 2))],
      ['with another size of itself', dots((bytes) => both32(2 * SECTOR).copy(bytes, 10))],
      ['with itself as a file', dots((bytes) => bytes.writeUInt8(0, 25))],
      ['without its parent', dots((bytes) => bytes.fill(0, 34))],
      ['with another parent', dots((bytes) => both32(AREAS).copy(bytes, 34 + 2))],
      ['that is empty', dots((bytes) => bytes.fill(0))],
      ['65 deep', of(nested(65))],
      ['300 deep', of(nested(300))],
    ],
  ],
  [
    'a file in several extents',
    INVALID,
    [
      ['of which the last is missing', of(more('A.;1'))],
      ['of which the last is missing before a directory', of(more('A.;1'), { id: 'D', children: [] })],
      ['that another file interrupts', of(more('A.;1'), file('B.;1'))],
      ['of which the first is empty', of(more('A.;1', ''), file('A.;1'))],
      ['of which the first has part of a sector', of(more('A.;1', 'x'), file('A.;1'))],
      ['of two names', of(more('A.;1', Buffer.alloc(SECTOR), 'a'), file('A.;1', { name: 'b' }))],
      [
        'of which one is behind the end',
        of(more('A.;1'), file('A.;1', { patch: (b) => both32(9999).copy(b, 2) })),
      ],
    ],
  ],
  [
    'two that are one',
    INVALID,
    [
      ['by name', of(file('A.;1', { name: 'a' }), file('B.;1', { name: 'a' }))],
      ['by identifier', of(file('A.;1'), file('A.;1'))],
      ['by normal form', of(file('A.;1', { name: '\u00e4' }), file('B.;1', { name: 'a\u0308' }))],
      [
        'by normal form, file and directory',
        of(file('A.;1', { name: '\u00e4' }), { id: 'B', name: 'a\u0308', children: [] }),
      ],
      ['by sign', of(file('A.;1', { name: '\u212b' }), file('B.;1', { name: '\u00c5' }))],
      ['by version', plain(file('A.;1'), file('A.;2'))],
      ['by a dot', plain(file('A.;1'), file('A;1'))],
    ],
  ],
  [
    'too much',
    INVALID,
    [
      [
        'in files that overlap',
        of(
          ...['A', 'B', 'C'].map((id) =>
            file(`${id}.;1`, { patch: (b, { sectors }) => overlap(b, sectors) }),
          ),
        ),
      ],
      ['in continuations that all records share', of(...sharing(60))],
      ['in the name', usingAreas(nm('n'.repeat(200)), FILE, nm('n'.repeat(100), 1), ce(AREAS, 0, 205))],
    ],
  ],
  [
    'a name that leads out or astray:',
    UNSAFE,
    [
      ['a parent', named('..')],
      ['itself', named('.')],
      ['a path to the parent', named('../a')],
      ['a path', named('a/b')],
      ['an absolute path', named('/etc/passwd')],
      ['a slash', named('/')],
      ['nothing', named('')],
      ['a NUL', named('a\0b')],
      ['a NUL at the end', named('a\0')],
      ['a backslash', named('a\\b')],
      ['a drive', named('C:\\a')],
      ['a newline', named('a\nb')],
      ['an escape sequence', named('\x1b[2J')],
      ['not UTF-8', named(Buffer.from([0x61, 0xff]))],
      ['an overlong slash', named(Buffer.from([0x2e, 0x2e, 0xc0, 0xaf, 0x61]))],
      ['a surrogate', named(Buffer.from([0xed, 0xa0, 0x80]))],
      ['a directory of a parent', of({ id: 'D', name: '..', children: [] })],
      ['in two pieces', using(FILE, nm('.', 1), nm('.'))],
      ['in two places', usingAreas(nm('./etc'), FILE, nm('.', 1), ce(AREAS, 0, 10))],
      ['without Rock Ridge: a parent', plain(file('..;1'), file('..'))],
      ['without Rock Ridge: a path', plain(file('A/B.;1'))],
      ['without Rock Ridge: a version alone', plain(file(';1'))],
      ['without Rock Ridge: a dot alone', plain(file('.;1'))],
      ['without Rock Ridge: the root again', plain(file('\0'))],
      ['without Rock Ridge: the parent again', plain(file('\x01'))],
      ['without a name of Rock Ridge', of(file('..;1', { use: FILE }), file('...;1', { use: FILE }))],
    ],
  ],
  [
    'a name that is',
    INVALID,
    [
      ['the current directory by flag', using(FILE, nm('', 2))],
      ['the parent directory by flag', using(FILE, nm('', 4))],
      ['the host by flag', using(FILE, nm('', 0x20))],
      ['there twice', using(FILE, nm('a'), nm('b'))],
      ['cut', using(FILE, nm('a', 1))],
      ['without flags', using(FILE, use('NM'))],
      ['continued by another that is there twice', usingAreas(nm('b'), FILE, nm('a'), ce(AREAS, 0, 6))],
    ],
  ],
  [
    'a system use area',
    INVALID,
    [
      ['with an entry of length 0', using(FILE, Buffer.from('NM\x00\x01\x00a', 'latin1'))],
      ['with an entry of length 3', using(FILE, Buffer.from('NM\x03\x01\x00a', 'latin1'))],
      ['with an entry that is longer than it', using(FILE, Buffer.from('NM\xff\x01\x00a', 'latin1'))],
      ['with an entry of another version', using(FILE, Buffer.from('NM\x06\x02\x00a', 'latin1'))],
      ['whose mark is wrong', image({ mark: use('SP', Buffer.from([0xbe, 0xee, 0])) })],
      ['whose mark is short', image({ mark: use('SP', Buffer.from([0xbe])) })],
      [
        'whose mark is of another version',
        image({ mark: Buffer.concat([SP.subarray(0, 3), Buffer.from([2]), SP.subarray(4)]) }),
      ],
      ['that goes on behind the end', using(FILE, nm('a'), ce(9999, 0, 100))],
      ['that goes on behind all sectors', using(FILE, nm('a'), ce(0xffff_ffff, 0, 100))],
      ['that goes on at an offset behind the end', using(FILE, nm('a'), ce(AREAS, 0xffff_ffff, 10))],
      ['that goes on for 4 GiB', using(FILE, nm('a'), ce(0, 0, 0xffff_ffff))],
      ['that goes on for 65 KiB', usingAreas(Buffer.alloc(0), FILE, nm('a'), ce(0, 0, 66_000))],
      ['that goes on in two places', usingAreas(nm('b'), FILE, ce(AREAS, 0, 6), ce(AREAS, 0, 6))],
      ['that goes on in itself', usingAreas(ce(AREAS, 0, 28), FILE, nm('a'), ce(AREAS, 0, 28))],
      [
        'that goes on in a ring',
        usingAreas(Buffer.concat([ce(AREAS, 28, 28), ce(AREAS, 0, 28)]), FILE, nm('a'), ce(AREAS, 0, 28)),
      ],
      ['that goes on in text', usingAreas(Buffer.from('no entry at all'), FILE, nm('a'), ce(AREAS, 0, 15))],
      ['with two places to go on', using(FILE, nm('a'), flipped(ce(AREAS, 0, 28), 4))],
      ['with two lengths to go on', using(FILE, nm('a'), flipped(ce(AREAS, 0, 28), 20))],
      ['with a short entry to go on', using(FILE, nm('a'), use('CE', both32(AREAS)))],
      ['with the mode of a directory', using(DIRECTORY, nm('a'))],
      [
        'with the mode of a file on a directory',
        of({ id: 'D', use: Buffer.concat([FILE, nm('d')]), children: [] }),
      ],
      ['with no kind in its mode', using(px(0o644), nm('a'))],
      ['with two modes by byte order', using(flipped(FILE, 4), nm('a'))],
      ['with a short mode', using(use('PX', Buffer.alloc(4)), nm('a'))],
    ],
  ],
  [
    'what is no file:',
    UNEXPECTED,
    [
      ['a symbolic link', using(px(0o120_777), nm('a'), sl('/etc/passwd'))],
      ['a symbolic link by its target alone', using(FILE, nm('a'), sl('/etc/passwd'))],
      ['a symbolic link by its mode alone', using(px(0o120_777), nm('a'))],
      ['a symbolic link to the parent', using(FILE, nm('a'), use('SL', Buffer.from([0, 4, 0])))],
      [
        'a symbolic link in a continuation',
        usingAreas(sl('/etc'), FILE, nm('a'), ce(AREAS, 0, sl('/etc').length)),
      ],
      [
        'a symbolic link on a directory',
        of({ id: 'D', use: Buffer.concat([DIRECTORY, nm('d'), sl('/etc')]), children: [] }),
      ],
      [
        'a link and a file through it',
        of({ id: 'D', use: Buffer.concat([px(0o120_777), nm('d')]), children: [file('A.;1')] }),
      ],
      ['a character device', using(px(0o020_666), nm('a'), use('PN', both32(1), both32(3)))],
      ['a block device', using(px(0o060_660), nm('a'), use('PN', both32(8), both32(0)))],
      ['a device by its number alone', using(FILE, nm('a'), use('PN', both32(1), both32(3)))],
      ['a FIFO', using(px(0o010_644), nm('a'))],
      ['a socket', using(px(0o140_755), nm('a'))],
      ['a relocated directory', using(FILE, nm('a'), use('CL', both32(AREAS)))],
      [
        'the place of a relocated directory',
        of({ id: 'D', use: Buffer.concat([DIRECTORY, nm('d'), use('RE')]), children: [] }),
      ],
      ['the parent of a relocated directory', using(FILE, nm('a'), use('PL', both32(AREAS)))],
      ['a sparse file', using(FILE, nm('a'), use('SF', both32(0), both32(99), Buffer.from([1])))],
      [
        'a compressed file',
        using(FILE, nm('a'), use('ZF', Buffer.from('pz\x04\x0f', 'latin1'), both32(0xffff_ffff))),
      ],
      ['a double of the sums', of(file('B.;1', { name: 'sha256sums' }))],
      [
        'a double of the description',
        of(file('A.;1', { name: 'volume.json' }), file('B.;1', { name: 'VOLUME.json' })),
      ],
    ],
  ],
  [
    'an image that is cut',
    INVALID,
    [
      ['before its descriptors', cut(() => 16 * SECTOR)],
      ['in its first descriptor', cut(() => 16 * SECTOR + 100)],
      ['in its second descriptor', cut(() => 17 * SECTOR + 100)],
      ['before its directories', cut(() => 18 * SECTOR)],
      ['in its root', cut(() => 22 * SECTOR + 100)],
      ['in another directory', cut(() => 23 * SECTOR + 100)],
      ['before its files', cut(() => 24 * SECTOR)],
      ['in a file', cut(() => 26 * SECTOR)],
      ['one byte before the end of a file', cut(() => 25 * SECTOR + 4999)],
      ['to nothing', cut(() => 0)],
    ],
  ],
]

/** Files that each go on for 64 KiB of zeros, in the data of the last. */
function sharing(count: number): RawNode[] {
  const data = Buffer.alloc(64 * 1024)
  const area = (index: number) => Buffer.concat([FILE, nm(`f${index}`), ce(0, 0, data.length)])
  const patch = (bytes: Buffer, { sectors }: { readonly sectors: number }) =>
    void both32(sectors - data.length / SECTOR).copy(bytes, bytes.indexOf('CE') + 4)
  const files = Array.from({ length: count }, (_, index) => file(`F${index}.;1`, { use: area(index), patch }))
  return [...files, file('Z.;1', { data })]
}
function filler(): RawNode[] {
  return Array.from({ length: 21 }, (_, index) => file(`F${index}.;1`))
}
function more(id: string, data: string | Buffer = Buffer.alloc(SECTOR), name?: string): RawNode {
  return file(id, {
    data,
    patch: (bytes) => void (bytes[25] = 0x80),
    ...(name === undefined ? {} : { name }),
  })
}
function overlap(bytes: Buffer, sectors: number): void {
  both32(0).copy(bytes, 2)
  both32(Math.floor(sectors / 2) * SECTOR).copy(bytes, 10)
}
function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at]! ^= 1
  return copy
}
function sl(target: string): Buffer {
  return use('SL', Buffer.from([0, 0, target.length]), Buffer.from(target))
}
/** Changes the first sector of the volume's directory, where it and its parent are. */
function dots(patch: (bytes: Buffer) => void): () => Buffer {
  return image({
    patch: (bytes, { root }) => {
      patch(bytes.subarray((root + 1) * SECTOR, (root + 2) * SECTOR))
    },
  })
}
/** Two directories that are one, with a record of itself that is right for both. */
function copied(): Buffer {
  return rawIso([
    volume(
      { id: 'D', children: [file('A.;1')] },
      leadingTo((root) => root + 2),
    ),
  ])
}

test('the image that all of these begin with is taken', async () => {
  using scratch = makeScratch('/dev/shm')
  scratch.write({ 'a.iso': of(file('A.;1'), { id: 'D', children: [file('B.;1')] })() })
  const found = await readVolumes(join(scratch.path, 'a.iso'))
  expect(found[VOLUME]?.map((line) => line.slice(66))).toEqual(['SHA256SUMS', 'a', 'd/b'])
})

describe.each(CLASSES)('refuses %s', (_kind, code, cases) => {
  test.each(cases)('%s', async (_what, make) => {
    using scratch = makeScratch('/dev/shm')
    const bytes = make()
    scratch.write({ 'medium/a.iso': bytes })
    const started = performance.now()
    await expect(readVolumes(join(scratch.path, 'medium'))).rejects.toMatchObject({ code })
    expect(performance.now() - started).toBeLessThan(2000)
    expect(new Set(readdirSync(scratch.path, { recursive: true, encoding: 'utf8' }))).toEqual(
      new Set(['medium', 'medium/a.iso']),
    )
    expect(readFileSync(join(scratch.path, 'medium/a.iso')).equals(bytes)).toBe(true)
  })
})
