import { BLOCK, firstNonZero } from './block.ts'
import { malformed } from './malformed.ts'

/** A header block whose checksum and form are right. */
export interface RawHeader {
  /** The typeflag; NUL is given as `0`. */
  readonly type: string
  /** Prefix, slash and name as bytes: they may be a stand-in that a PAX record overrides. */
  readonly name: Buffer
  readonly size: number
}

/**
 * `ours`: what writers of content archives make. `foreign`: also what GNU tar, bsdtar and others make of a directory by default, as far as
 * all readers agree on it: the GNU magic (plain entries, sizes from 8 GiB in base-256), a leading `./`, the entry `./`.
 */
export type Dialect = 'ours' | 'foreign'

const SIZE = /^[0-7]{1,11}[\0 ]+$/
/**
 * Mode, owner, time and device numbers, which do not matter but which no reader should stumble over: octal, base-256 within the
 * range of the number that it stands for, or absent.
 */
const NUMBERS = [
  [100, 108],
  [108, 116],
  [116, 124],
  [136, 148],
  [329, 337],
  [337, 345],
] as const
const NUMBER = /^(?: *[0-7]*[\0 ]*|\x80\0{3}[^]{4}|\x80\0{3}[\0-\x7f][^]{7}|\xff{4}[\x80-\xff][^]{7})$/
const CHECKSUM = /^[0-7]{6}[\0 ]{2}$/
const MAGIC = 'ustar\u000000'
const GNU_MAGIC = 'ustar  \u0000'
const MAX_OCTAL = 0o77777777777n

/**
 * Decodes one ustar header block (POSIX.1-2017) where all readers agree on its meaning: octal size, nothing behind the NUL of
 * a text field, no link name, no vendor's magic but GNU's in the foreign dialect. Owner, mode and times may be any.
 * Throws ARCHIVE_MALFORMED.
 */
export function decodeHeader(
  block: Buffer,
  file: string,
  offset: number,
  dialect: Dialect = 'ours',
): RawHeader {
  const field = (start: number, end: number) => block.toString('latin1', start, end)
  const bad = (what: string, at: number) => malformed(what, file, offset + at)

  if (!CHECKSUM.test(field(148, 156)) || Number.parseInt(field(148, 154), 8) !== checksum(block)) {
    throw bad('the checksum of the header is wrong', 148)
  }
  const gnu = dialect === 'foreign' && field(257, 265) === GNU_MAGIC
  if (!gnu && field(257, 265) !== MAGIC) throw bad('the header is not of the ustar or PAX format', 257)
  const size = SIZE.test(field(124, 136)) ? Number.parseInt(field(124, 136), 8) : undefined
  const large = gnu && size === undefined ? largeSize(block.subarray(124, 136)) : undefined
  if (size === undefined && large === undefined) throw bad('the size is not a plain octal number', 124)
  // Where ustar has a prefix, GNU tar has times and maps of sparse files: all zero, so that readers of either kind agree.
  if (gnu && firstNonZero(block.subarray(345, BLOCK)) >= 0)
    throw bad('the GNU header has more than a plain entry needs', 345)
  if (gnu && (field(156, 157) === 'x' || field(156, 157) === 'g'))
    throw bad('a PAX header has the GNU magic', 257)

  for (const [start, end] of NUMBERS)
    if (!NUMBER.test(field(start, end))) throw bad('a field that should hold a number does not', start)

  const type = field(156, 157)
  const name = text(block.subarray(0, 100))
  const link = text(block.subarray(157, 257))
  const prefix = text(block.subarray(345, 500))
  if (name === undefined) throw bad('the name goes on behind its end', 0)
  if (prefix === undefined) throw bad('the prefix goes on behind its end', 345)
  // Links have a link name and are refused as links.
  if (type !== '1' && type !== '2' && link?.length !== 0)
    throw bad('an entry that is no link has a link name', 157)
  if (firstNonZero(block.subarray(500, BLOCK)) >= 0)
    throw bad('the header has bytes that the format does not know', 500)

  return {
    type: type === '\0' ? '0' : type,
    name: prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from('/'), name]),
    size: size ?? large!,
  }
}

/** A size that octal digits cannot say, in base-256; undefined where they could or where it is not exact. */
function largeSize(field: Buffer): number | undefined {
  const value = BigInt(`0x${field.subarray(1).toString('hex')}`)
  const exact = field[0] === 0x80 && value > MAX_OCTAL && value <= BigInt(Number.MAX_SAFE_INTEGER)
  return exact ? Number(value) : undefined
}

function checksum(block: Buffer): number {
  let sum = 8 * 0x20
  for (let at = 0; at < BLOCK; at += 1) if (at < 148 || at >= 156) sum += block[at]!
  return sum
}

/** The bytes before the first NUL, or undefined where others than NULs follow it. */
function text(field: Buffer): Buffer | undefined {
  const end = field.indexOf(0)
  if (end < 0) return Buffer.from(field)
  return firstNonZero(field.subarray(end)) < 0 ? Buffer.from(field.subarray(0, end)) : undefined
}
