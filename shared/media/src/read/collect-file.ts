import { CarryallError } from '@carryall/errors'
import type { VolumeFile } from './volume-source.ts'

/** All bytes of a file of at most `limit` bytes. Throws VOLUME_INVALID where it is larger, before anything is read, and what `chunks` throws. */
export async function collectFile(file: VolumeFile, limit: number, signal?: AbortSignal): Promise<Buffer> {
  if (file.size > limit) {
    throw new CarryallError(
      'VOLUME_INVALID',
      `Cannot read ${file.path}: it has ${file.size} bytes, at most ${limit} are read`,
      {
        hint: 'It was not written for this purpose; carry the volume again',
        subject: { kind: 'file', name: file.path },
        expected: limit,
        actual: file.size,
      },
    )
  }
  const bytes = Buffer.allocUnsafe(file.size)
  let at = 0
  for await (const chunk of file.chunks(signal)) at += chunk.copy(bytes, at)
  return bytes
}
