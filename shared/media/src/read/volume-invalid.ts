import { CarryallError, type ErrorDetails } from '@carryall/errors'

const HINT = 'It is damaged or was made to deceive; write and carry this volume again'

/** VOLUME_INVALID: what is at `place` has not the form of a volume. */
export function volumeInvalid(what: string, place: string, details: ErrorDetails = {}): CarryallError {
  return new CarryallError('VOLUME_INVALID', `Cannot read ${place}: ${what}`, {
    hint: HINT,
    subject: { kind: 'file', name: place },
    ...details,
  })
}

/** FILE_UNEXPECTED: an entry of a volume that no volume holds. */
export function fileUnexpected(
  what: string,
  path: string,
  place: string,
  hint = 'A volume holds regular files in directories and nothing else; this was not written by transfer-pack',
): CarryallError {
  return new CarryallError('FILE_UNEXPECTED', `Refused ${what} ${JSON.stringify(path)} in ${place}`, {
    hint,
    subject: { kind: 'file', name: path },
  })
}
