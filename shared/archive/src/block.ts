/** Tar is made of blocks of 512 bytes. */
export const BLOCK = 512

/** Bytes of zeros that fill up the last block of `size` bytes. */
export function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK
}

const ZEROS = Buffer.alloc(64 * 1024)

/** The index of the first byte that is not zero, or -1. */
export function firstNonZero(bytes: Buffer): number {
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const part = bytes.subarray(at, at + ZEROS.length)
    if (!part.equals(ZEROS.subarray(0, part.length))) return at + part.findIndex((byte) => byte !== 0)
  }
  return -1
}
