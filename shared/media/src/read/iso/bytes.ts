import { volumeInvalid } from '../volume-invalid.ts'

/** A stretch of an image, with where it is for messages. */
export interface Located {
  readonly bytes: Buffer
  readonly place: string
  /** Byte of the image where it begins. */
  readonly offset: number
}

/** VOLUME_INVALID at byte `at` of the stretch. */
export function bad(what: string, { place, offset }: Omit<Located, 'bytes'>, at = 0): Error {
  return volumeInvalid(`${what} at byte ${offset + at}`, place, {
    location: { file: place, offset: offset + at },
  })
}

/** A number that is there twice, little-endian and big-endian (ECMA-119 7.3.3): both must be the same. */
export function both32(located: Located, at: number): number {
  const little = located.bytes.readUInt32LE(at)
  if (little !== located.bytes.readUInt32BE(at + 4)) throw bad('a number has two values', located, at)
  return little
}

/** As `both32`, of 16 bits (ECMA-119 7.2.3). */
export function both16(located: Located, at: number): number {
  const little = located.bytes.readUInt16LE(at)
  if (little !== located.bytes.readUInt16BE(at + 2)) throw bad('a number has two values', located, at)
  return little
}
