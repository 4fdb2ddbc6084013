import type { Descriptor } from '@carryall/schemas'
import { fetchFrom, type FetchFromOptions } from './fetch-from.ts'
import type { OpenBlob, Source } from './store.ts'
import { blobMeter } from './verified.ts'

/**
 * Opens a blob as often as an upload needs it, at the offset where that goes on (`seekable` of `putBlob`). One meter goes
 * through all of it: however often it was opened, its end is reached only when all bytes, each hashed when it came
 * first, are those of the digest. Opened at 0 it is proven anew. Throws as `fetchFrom` does.
 */
export function blobOpener(
  source: Source,
  repository: string,
  blob: Descriptor,
  options: FetchFromOptions,
): OpenBlob {
  let meter = blobMeter(blob)
  return async function* (offset = 0) {
    if (offset === 0) meter = blobMeter(blob)
    // What nobody has hashed is read as well, though nobody wants it.
    let unwanted = offset > meter.size ? offset - meter.size : 0
    for await (const chunk of fetchFrom(source, repository, blob, options, meter, offset - unwanted)) {
      if (chunk.length > unwanted) yield unwanted > 0 ? chunk.subarray(unwanted) : chunk
      unwanted -= Math.min(unwanted, chunk.length)
    }
  }
}
