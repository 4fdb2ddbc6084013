import { Header } from 'tar/header'
import { Pax } from 'tar/pax'
import { BLOCK, padding } from './block.ts'
import { entryName } from './entry-name.ts'

/** What decides the header of a regular file: nothing else goes into it. */
export interface EntryFacts {
  /** Relative path with `/`. */
  readonly name: string
  /** Bytes. */
  readonly size: number
}

const ASCII = /^[\x20-\x7e]+$/
const MAX_USTAR_SIZE = 0o77777777777
const PAX_NAME = '././@PaxHeader'
const SAME_FOR_ALL = { mode: 0o644, uid: 0, gid: 0, uname: '', gname: '', devmaj: 0, devmin: 0, linkpath: '' }

/**
 * The header blocks of a regular file, a function of name and size alone: ustar, mode 0644, owner 0, no user names, mtime 0.
 * A name or size that ustar cannot hold is preceded by one PAX extended header with only that `path` or `size`
 * (POSIX.1-2017 pax, "ustar Interchange Format"). Throws PATH_UNSAFE for a name that is not a safe relative path.
 */
export function tarHeader(entry: EntryFacts): Buffer {
  const name = entryName(entry.name)
  if (!Number.isSafeInteger(entry.size) || entry.size < 0) throw new RangeError(`Not a size: ${entry.size}`)
  const sizeFits = entry.size <= MAX_USTAR_SIZE
  const size = sizeFits ? entry.size : 0
  const block = header('File', name, size)
  // The codec's split of a name is right where it reads back as the same name.
  const nameFits = ASCII.test(name) && new Header(block).path === name
  if (nameFits && sizeFits) return block

  const records = new Pax({ ...(nameFits ? {} : { path: name }), ...(sizeFits ? {} : { size: entry.size }) })
  const body = Buffer.from(records.encodeBody())
  return Buffer.concat([
    header('ExtendedHeader', PAX_NAME, body.length),
    body,
    Buffer.alloc(padding(body.length)),
    nameFits ? block : header('File', shortName(name), size),
  ])
}

function header(type: 'File' | 'ExtendedHeader', path: string, size: number): Buffer {
  const block = Buffer.alloc(BLOCK)
  new Header({ ...SAME_FOR_ALL, type, path, size, mtime: new Date(0) }).encode(block)
  return block
}

/** What a reader without PAX sees: one flat, harmless name. */
function shortName(name: string): string {
  return name.replaceAll(/[^\w.-]/g, '_').slice(-99)
}
