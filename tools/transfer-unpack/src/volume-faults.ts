import { CarryallError, Exit } from '@carryall/errors'
import type { VolumeSource } from '@carryall/media'
import { SUMS_FILE } from '@carryall/shipment'

type Place = Pick<VolumeSource, 'place'>

const AGAIN = 'Have this volume made again: transfer-pack --volume N --force'

/** It cannot be told what the volume is, or it contradicts itself. */
export function invalid({ place }: Place, why: string): CarryallError {
  return new CarryallError('VOLUME_INVALID', `${place} is not a whole volume: ${why}`, {
    subject: { kind: 'volume', name: place },
    hint: AGAIN,
  })
}

/** A stream whose order does not let it be judged before it is read. */
export function begins(source: Place, path: string): CarryallError {
  return new CarryallError(
    'VOLUME_INVALID',
    `${source.place} begins with ${path}; volume.json has to come first`,
    {
      subject: { kind: 'volume', name: source.place },
      hint: 'Make the stream with transfer-pack --stdout, or unpack the tar and name the directory',
    },
  )
}

/** A file that the volume should have. */
export function missing({ place }: Place, path: string): CarryallError {
  return new CarryallError('FILE_MISSING', `${path} is missing on ${place}`, {
    subject: { kind: 'file', name: path },
    hint: AGAIN,
  })
}

/** A file that the volume should not have. */
export function unexpected({ place }: Place, path: string): CarryallError {
  return new CarryallError('FILE_UNEXPECTED', `${path} on ${place} does not belong to the volume`, {
    subject: { kind: 'file', name: path },
    hint: 'Find out who put it there; if the volume is to be trusted without it, remove it and unpack again',
  })
}

/** A file that is not what `SHA256SUMS` says; `expected` is undefined where it says nothing of it. */
export function differs(
  { place }: Place,
  path: string,
  expected: string | undefined,
  actual: string,
): CarryallError {
  if (expected === undefined)
    return new CarryallError('FILE_UNEXPECTED', `${path} on ${place} is not in its ${SUMS_FILE}`, {
      subject: { kind: 'file', name: path },
      hint: AGAIN,
    })
  return new CarryallError(
    'DIGEST_MISMATCH',
    `${path} on ${place} has other bytes than its ${SUMS_FILE} says`,
    {
      subject: { kind: 'file', name: path },
      expected,
      actual,
      hint: AGAIN,
    },
  )
}

/** What is wrong with a volume leaves the others as they are; a full disk or a lock does not. */
export function isAboutVolume(error: CarryallError): boolean {
  const exits: readonly number[] = [
    Exit.DATA,
    Exit.TRUST,
    Exit.SEQUENCE,
    Exit.INTEGRITY,
    Exit.INCOMPLETE,
    Exit.NOINPUT,
  ]
  return exits.includes(error.exit)
}

/** An error that says where the volume is. */
export function placed(error: CarryallError, { place }: Place): CarryallError {
  if (error.message.includes(place)) return error
  return new CarryallError(error.code, `${place}: ${error.message}`, { ...error.details, cause: error })
}
