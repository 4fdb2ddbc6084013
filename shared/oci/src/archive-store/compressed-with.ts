import type { FileHandle } from 'node:fs/promises'

const MAGIC: readonly (readonly [program: string, start: string])[] = [
  ['gzip', '1f8b'],
  ['zstd', '28b52ffd'],
  ['xz', 'fd377a585a00'],
  ['bzip2', '425a68'],
  ['lz4', '04224d18'],
]

/** The program that made a file what it is, by its first bytes; undefined where none of those that are known did. */
export async function compressedWith(handle: FileHandle): Promise<string | undefined> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(6), 0, 6, 0)
  const start = buffer.toString('hex', 0, bytesRead)
  return MAGIC.find(([, magic]) => start.startsWith(magic))?.[0]
}
