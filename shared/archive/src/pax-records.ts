import { decodeName } from './entry-name.ts'
import { entryRefused, malformed } from './malformed.ts'

/** What a PAX extended header may decide about the entry after it. */
export interface PaxRecords {
  readonly path?: string
  readonly size?: number
}

const LENGTH = /^[1-9]\d{0,5}$/
const NUMBER = /^(?:0|[1-9]\d{0,15})$/
const TIME = /^-?\d{1,20}(?:\.\d{0,20})?$/
const ID = /^\d{1,20}$/
const TEXT = /^[^\0]*$/
/** They mean nothing here, but a reader that does look at them must not stumble. */
const IGNORED: ReadonlyMap<string, RegExp> = new Map([
  ['mtime', TIME],
  ['atime', TIME],
  ['ctime', TIME],
  ['uid', ID],
  ['gid', ID],
  ['uname', TEXT],
  ['gname', TEXT],
  ['comment', TEXT],
])
const VENDOR = /^[A-Z][A-Z0-9]*\.[\x21-\x7e]+$/
/** These change what the data is or how the text is read. */
const REFUSED =
  /^(?:hdrcharset|charset|linkpath|GNU\..*|SCHILY\.(?:realsize|filetype|linktype|offset|volhdr|release|archtype).*)$/
const EQUALS = 0x3d
const SPACE = 0x20
const NEWLINE = 0x0a

/**
 * Reads `<length> <key>=<value>\n` records, byte for byte (POSIX.1-2017 pax, "Extended Header"). Each key at most once. Times, owners, comments and
 * vendors' records are passed over. `global` allows nothing but a comment. `offset` is that of the first record.
 * Throws ARCHIVE_MALFORMED, ARCHIVE_ENTRY_REFUSED (sparse files, links, character sets), PATH_UNSAFE.
 */
export function paxRecords(body: Buffer, file: string, offset: number, global = false): PaxRecords {
  const seen = new Set<string>()
  const found: { path?: string; size?: number } = {}
  for (let at = 0; at < body.length;) {
    const here = offset + at
    const space = body.indexOf(SPACE, at)
    const digits = body.toString('latin1', at, space < 0 ? at : Math.min(space, at + 8))
    const end = at + Number(digits)
    const equals = body.indexOf(EQUALS, space)
    if (
      !LENGTH.test(digits) ||
      end > body.length ||
      body[end - 1] !== NEWLINE ||
      equals < 0 ||
      equals >= end - 1
    ) {
      throw malformed('a PAX record is not "<length> <key>=<value>"', file, here)
    }
    const key = body.toString('latin1', space + 1, equals)
    const value = body.subarray(equals + 1, end - 1)
    if (seen.has(key)) throw malformed(`the PAX record ${JSON.stringify(key)} is there twice`, file, here)
    seen.add(key)

    if (global && key !== 'comment')
      throw entryRefused(`a global PAX record ${JSON.stringify(key)}`, file, here)
    if (key === 'path') found.path = decodeName(value, file, here)
    else if (key === 'size') found.size = size(value, file, here)
    else if (REFUSED.test(key)) throw entryRefused(`a PAX record ${JSON.stringify(key)}`, file, here)
    else if (!IGNORED.has(key) && !VENDOR.test(key)) {
      throw malformed(`the PAX record ${JSON.stringify(key.slice(0, 100))} is unknown`, file, here)
    } else if (IGNORED.get(key)?.test(value.toString('latin1')) === false) {
      throw malformed(`the value of the PAX record ${JSON.stringify(key)} is none`, file, here)
    }
    at = end
  }
  return found
}

function size(value: Buffer, file: string, offset: number): number {
  const text = value.toString('latin1')
  if (!NUMBER.test(text) || !Number.isSafeInteger(Number(text)))
    throw malformed('the PAX size is not a size', file, offset)
  return Number(text)
}
