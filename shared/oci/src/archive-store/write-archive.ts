import { openArchive, planArchives } from '@carryall/archive'
import type { BlobReader } from '../layout/blob-reader.ts'
import { verified } from '../verified.ts'
import type { ArchivePart } from './archive-contents.ts'

/**
 * Writes these parts as a tar at `path`, a staging name: ustar, mode 0644, owner 0, mtime 0, so that the same parts make the
 * same bytes. Each blob is hashed on its way. Throws DIGEST_MISMATCH, SIZE_MISMATCH, IO_*.
 */
export async function writeArchive(
  path: string,
  parts: readonly ArchivePart[],
  blobs: BlobReader,
  signal: AbortSignal | undefined,
): Promise<void> {
  const [plan] = planArchives(parts)
  const writer = await openArchive(path, plan!)
  try {
    for (const [index, { digest, size, text }] of parts.entries()) {
      let position = plan!.entries[index]!.offset
      const bytes = text === undefined ? blobs.read(digest, 0, signal) : once(text)
      for await (const chunk of verified(bytes, { mediaType: '', digest, size })) {
        await writer.write(position, chunk)
        position += chunk.length
      }
    }
  } catch (error) {
    await writer.close().catch(() => undefined)
    throw error
  }
  await writer.close()
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer, void, undefined> {
  yield bytes
}
