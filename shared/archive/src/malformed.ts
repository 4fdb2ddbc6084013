import { CarryallError } from '@carryall/errors'

const HINT = 'The archive is damaged or was made to deceive; fetch it again from where it was written'

/** ARCHIVE_MALFORMED with the byte of the archive where it shows. */
export function malformed(
  what: string,
  file: string,
  offset: number,
  details: { readonly expected?: string | number; readonly actual?: string | number } = {},
): CarryallError {
  return new CarryallError('ARCHIVE_MALFORMED', `Cannot read ${file}: ${what} at byte ${offset}`, {
    hint: HINT,
    subject: { kind: 'file', name: file },
    location: { file, offset },
    ...details,
  })
}

/** ARCHIVE_ENTRY_REFUSED: well-formed perhaps, but nothing that content is carried in. */
export function entryRefused(
  what: string,
  file: string,
  offset: number,
  hint = 'Archives may hold regular files and directories only; this one was not written for this purpose',
): CarryallError {
  return new CarryallError('ARCHIVE_ENTRY_REFUSED', `Refused ${what} in ${file} at byte ${offset}`, {
    hint,
    subject: { kind: 'file', name: file },
    location: { file, offset },
  })
}
