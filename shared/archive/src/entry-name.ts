import { CarryallError } from '@carryall/errors'
import { isSafePath } from '@carryall/schemas'

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Gives back a name that may stand in an archive; else PATH_UNSAFE, at byte `offset` of `file` where that is known. */
export function entryName(name: string, file?: string, offset?: number): string {
  if (isSafePath(name) && name.isWellFormed()) return name
  throw unsafe(JSON.stringify(name.slice(0, 200)), file, offset)
}

/** The name that an archive's bytes spell. Bytes that are not UTF-8 are refused: readers would disagree on them. */
export function decodeName(bytes: Uint8Array, file: string, offset: number): string {
  try {
    return UTF8.decode(bytes)
  } catch {
    throw unsafe(`of bytes ${Buffer.from(bytes.subarray(0, 64)).toString('hex')}`, file, offset)
  }
}

/** What must differ between two names of one archive: names that a file system may take for the same are the same. */
export function nameKey(name: string): string {
  return name.normalize('NFC')
}

function unsafe(name: string, file?: string, offset?: number): CarryallError {
  return new CarryallError(
    'PATH_UNSAFE',
    `Refused entry name ${name}${file === undefined ? '' : ` in ${file}`}`,
    {
      hint: 'Use only archives whose names are relative, valid UTF-8 and free of "..", empty parts, backslashes and control characters',
      ...(file === undefined ? {} : { subject: { kind: 'file', name: file } }),
      location: { ...(file === undefined ? {} : { file }), ...(offset === undefined ? {} : { offset }) },
    },
  )
}
