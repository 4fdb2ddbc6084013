import { BLOCK, firstNonZero, padding } from './block.ts'
import { decodeHeader, type Dialect, type RawHeader } from './decode-header.ts'
import { decodeName, entryName, nameKey } from './entry-name.ts'
import { entryRefused, malformed } from './malformed.ts'
import { type PaxRecords, paxRecords } from './pax-records.ts'

/** One entry as it was found. Positions are bytes from the start of the archive. */
export interface ArchiveEntry {
  readonly type: 'file' | 'directory'
  /** A safe relative path, without a slash at its end. */
  readonly name: string
  readonly size: number
  /** Where its first header block starts, that of its PAX header where it has one. */
  readonly header: number
  /** Where its data starts. */
  readonly offset: number
}

/** What the parser asks for next: so many bytes, or that an entry's data be read or passed over. */
export type Request =
  | { readonly want: 'bytes'; readonly length: number }
  | { readonly want: 'data'; readonly length: number; readonly entry: ArchiveEntry }

const MAX_PAX = 64 * 1024
const MAX_ENTRIES = 10_000_000
const MAX_USTAR_SIZE = 0o77777777777

const REFUSED_TYPES: Readonly<Record<string, string>> = {
  '1': 'a hard link',
  '2': 'a symbolic link',
  '3': 'a character device',
  '4': 'a block device',
  '6': 'a FIFO',
  '7': 'a contiguous file',
  D: 'a GNU directory dump',
  K: 'a GNU long link name',
  L: 'a GNU long name',
  M: 'a GNU multi-volume part',
  S: 'a GNU sparse file',
  V: 'a GNU volume label',
}

const PORTABLE = 'Write it again in the portable format: tar --format=pax'
/** What honest writers make of long names and holes, and what to do about it. */
const HINTS: Readonly<Record<string, string>> = { K: PORTABLE, L: PORTABLE, S: PORTABLE }

/**
 * The grammar of an archive of `size` bytes, without reading: it asks for bytes in the order of the file, and the answer to
 * `bytes` is exactly these (the answer to `data` is not looked at). It ends when every byte is accounted for. Of a stream
 * `size` is Infinity, and an answer has fewer bytes, or none, where the stream ends.
 * Regular files and directories, ustar or PAX (and what `dialect` adds), two zero blocks, then zeros only.
 * Throws ARCHIVE_MALFORMED, ARCHIVE_ENTRY_REFUSED or PATH_UNSAFE, each with `location.offset`.
 */
export function* parseArchive(
  size: number,
  file: string,
  dialect: Dialect = 'ours',
): Generator<Request, void, Buffer> {
  const names = new Set<string>()
  let position = 0
  /** Undefined until the header of the entry after it. */
  let pax: (PaxRecords & { readonly header: number }) | undefined

  function* take(length: number, what: string): Generator<Request, Buffer, Buffer> {
    if (position + length > size) throw malformed(`the archive ends in ${what}`, file, size)
    const bytes = length === 0 ? Buffer.alloc(0) : yield { want: 'bytes', length }
    position += bytes.length
    if (bytes.length < length) throw malformed(`the archive ends in ${what}`, file, position)
    return bytes
  }
  function* zeros(length: number, what: string): Generator<Request, void, Buffer> {
    const start = position
    const wrong = firstNonZero(yield* take(length, what))
    if (wrong >= 0) throw malformed(`${what} is not zero`, file, start + wrong)
  }

  for (;;) {
    const start = position
    const block = yield* take(BLOCK, 'front of the two blocks that end it')
    if (firstNonZero(block) < 0) break
    const raw = decodeHeader(block, file, start, dialect)

    if (raw.type === 'x' || raw.type === 'g') {
      if (pax !== undefined) throw malformed('a PAX header belongs to no entry', file, pax.header)
      if (raw.size > MAX_PAX)
        throw malformed('a PAX header is too large', file, start, { expected: MAX_PAX, actual: raw.size })
      const body = yield* take(raw.size, 'a PAX header')
      const records = paxRecords(body, file, start + BLOCK, raw.type === 'g')
      if (raw.type === 'x') pax = { ...records, header: start }
      yield* zeros(padding(raw.size), 'the padding of a PAX header')
      continue
    }

    const entry = describe(raw, pax, file, start, dialect)
    pax = undefined
    if (entry === undefined) continue
    if (names.has(nameKey(entry.name)))
      throw malformed(`the name ${JSON.stringify(entry.name)} is there twice`, file, entry.header)
    if (names.size === MAX_ENTRIES)
      throw malformed(`there are more than ${MAX_ENTRIES} entries`, file, entry.header)
    names.add(nameKey(entry.name))
    if (entry.offset + entry.size > size)
      throw malformed(`the archive ends in the data of ${entry.name}`, file, size)
    yield { want: 'data', length: entry.size, entry }
    position += entry.size
    yield* zeros(padding(entry.size), `the padding of ${entry.name}`)
  }

  if (pax !== undefined) throw malformed('a PAX header belongs to no entry', file, pax.header)
  yield* zeros(BLOCK, 'the second of the two blocks that end the archive')
  for (let ended = false; !ended && position < size;) {
    const length = Math.min(size - position, MAX_PAX)
    const bytes = yield { want: 'bytes', length }
    const wrong = firstNonZero(bytes)
    if (wrong >= 0) throw malformed('what follows the end of the archive is not zero', file, position + wrong)
    position += bytes.length
    ended = bytes.length < length
  }
  if (position % BLOCK !== 0)
    throw malformed('the size of the archive is not a multiple of 512', file, position)
}

function describe(
  raw: RawHeader,
  pax: (PaxRecords & { readonly header: number }) | undefined,
  file: string,
  start: number,
  dialect: Dialect,
): ArchiveEntry | undefined {
  const refused = REFUSED_TYPES[raw.type]
  if (refused !== undefined) throw entryRefused(refused, file, start, HINTS[raw.type])
  if (raw.type !== '0' && raw.type !== '5')
    throw entryRefused(`an entry of type ${JSON.stringify(raw.type)}`, file, start)

  const directory = raw.type === '5'
  const whole = pax?.path ?? decodeName(raw.name, file, start)
  const spelled = dialect === 'foreign' ? whole.replace(/^\.\/(?=.)/, '') : whole
  // What `tar c .` begins with.
  const top = dialect === 'foreign' && directory && /^\.\/?$/.test(spelled)
  const name = top
    ? '.'
    : entryName(directory && spelled.endsWith('/') ? spelled.slice(0, -1) : spelled, file, start)
  // POSIX lets the PAX size win, older readers take the other: both must say the same, or the header must be unable to say it.
  if (pax?.size !== undefined && pax.size !== raw.size && (raw.size !== 0 || pax.size <= MAX_USTAR_SIZE)) {
    throw malformed(`the PAX size of ${name} contradicts its header`, file, start, {
      expected: raw.size,
      actual: pax.size,
    })
  }
  const size = pax?.size ?? raw.size
  if (directory && size !== 0) throw malformed(`the directory ${name} has data`, file, start)
  if (top) return undefined
  return {
    type: directory ? 'directory' : 'file',
    name,
    size,
    header: pax?.header ?? start,
    offset: start + BLOCK,
  }
}
