import { CarryallError } from '@carryall/errors'
import type { VolumeEntry } from '@carryall/schemas'

/** Passes chunks on, as long as there are not more bytes than the entry says; fewer are an error, too: SIZE_MISMATCH (82). */
export async function* exactly(
  chunks: AsyncIterable<Buffer>,
  entry: Pick<VolumeEntry, 'stored' | 'size_bytes'>,
): AsyncGenerator<Buffer> {
  let bytes = 0
  for await (const chunk of chunks) {
    bytes += chunk.length
    if (bytes > entry.size_bytes) throw mismatch(entry, bytes)
    yield chunk
  }
  if (bytes !== entry.size_bytes) throw mismatch(entry, bytes)
}

function mismatch(
  { stored, size_bytes }: Pick<VolumeEntry, 'stored' | 'size_bytes'>,
  actual: number,
): CarryallError {
  return new CarryallError('SIZE_MISMATCH', `${stored} has another size than volume.json says`, {
    subject: { kind: 'file', name: stored },
    expected: size_bytes,
    actual,
    hint: 'Have this volume made again: transfer-pack --volume N --force',
  })
}
