import { VOLUME_FILE } from '../volume-layout.ts'

/** The files that make a directory a volume, in the order in which they are wanted. */
const OWN = [/^SHA256SUMS$/i, /^SHA256SUMS\..+\.asc$/i, /^volume\.json(?:\.gpg|\.age)?$/i] as const
/** Names that the description of a volume may have: plain, or encrypted with the rest. */
export const DESCRIPTIONS = [VOLUME_FILE, `${VOLUME_FILE}.gpg`, `${VOLUME_FILE}.age`] as const
const DIRECTORY = /^carryall-[0-9a-f]{8}-\d{3,}$/

/** True for the name, in any case of letters, of a file that describes or proves the volume. */
export function isOwnFile(path: string): boolean {
  return OWN.some((pattern) => pattern.test(path))
}

/** True for the name that the directory of a volume is given. */
export function isVolumeName(name: string): boolean {
  return DIRECTORY.test(name)
}

/** True where a directory that holds `has` says of itself that it is a volume. */
export function describesVolume(has: (name: string) => boolean): boolean {
  return DESCRIPTIONS.some(has)
}

/** Sorts files: sums, signatures, description, then the others by byte. */
export function inReadingOrder<T extends { readonly path: string }>(files: readonly T[]): readonly T[] {
  // A volume may have a million files: what is compared is made once.
  return files
    .map((file) => ({ file, rank: rank(file.path), bytes: Buffer.from(file.path) }))
    .toSorted((a, b) => a.rank - b.rank || Buffer.compare(a.bytes, b.bytes))
    .map(({ file }) => file)
}

function rank(path: string): number {
  const index = OWN.findIndex((pattern) => pattern.test(path))
  return index < 0 ? OWN.length : index
}
