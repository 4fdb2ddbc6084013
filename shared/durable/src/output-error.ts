import { CarryallError, fromSystemError } from '@carryall/errors'

const NO_PLACE = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP', 'ENAMETOOLONG'])

/**
 * A failure of a write as one of ours. A path that cannot be made is OUTPUT_NOT_WRITABLE and not an input that is
 * missing; the rest is as in `fromSystemError`.
 */
export function outputError(error: unknown, action: string, path: string): unknown {
  const subject = { kind: 'file', name: path } as const
  const errno = (error as NodeJS.ErrnoException | null)?.code ?? ''
  if (!NO_PLACE.has(errno)) return fromSystemError(error, `${action} ${path}`, { subject })
  return new CarryallError('OUTPUT_NOT_WRITABLE', `Cannot ${action} ${path}: ${errno}`, {
    hint: 'Check that the directory exists and that the name is free',
    subject,
    cause: error,
  })
}
