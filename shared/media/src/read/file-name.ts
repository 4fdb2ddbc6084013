import { CarryallError } from '@carryall/errors'
import { isSafePath } from '@carryall/schemas'

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The name of one file that a directory's bytes spell. Throws PATH_UNSAFE for what is not UTF-8 or not one safe component of a path. */
export function fileName(bytes: Uint8Array, place: string): string {
  const name = decode(bytes)
  if (name !== undefined && isSafePath(name) && !name.includes('/')) return name
  const shown =
    name === undefined
      ? `of bytes ${Buffer.from(bytes.subarray(0, 64)).toString('hex')}`
      : JSON.stringify(name.slice(0, 200))
  throw new CarryallError('PATH_UNSAFE', `Refused file name ${shown} in ${place}`, {
    hint: 'A volume has only names that are valid UTF-8 and free of slashes, backslashes and control characters; its source is not to be trusted',
    subject: { kind: 'file', name: place },
  })
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes)
  } catch {
    return undefined
  }
}
