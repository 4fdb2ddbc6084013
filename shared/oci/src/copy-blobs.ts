import type { Descriptor } from '@carryall/schemas'
import type { CopyImage, CopyOptions } from './copy-image.ts'
import { endsRun } from './ends-run.ts'
import { fetchBlob } from './fetch-blob.ts'
import { pool } from './pool.ts'
import type { BlobOutcome, Destination, Source } from './store.ts'

export interface BlobCounts {
  readonly present: number
  readonly mounted: number
  readonly uploaded: number
  readonly uploadedBytes: number
}

interface Wanted {
  readonly blob: Descriptor
  readonly sourceRepository: string
  readonly repositories: Set<string>
}

/**
 * Brings every blob to every repository that needs it: uploaded to the first, mounted from there into the others; one
 * blob is never sent twice at once. Failures are kept by digest; wrong content (82) and an abort are thrown.
 */
export async function copyBlobs(
  images: readonly CopyImage[],
  source: Source,
  destination: Destination,
  options: CopyOptions,
): Promise<{ counts: BlobCounts; failures: ReadonlyMap<string, unknown> }> {
  const failures = new Map<string, unknown>()
  const counts = { present: 0, mounted: 0, uploaded: 0, uploadedBytes: 0 }
  const count = (outcome: BlobOutcome, blob: Descriptor): void => {
    counts[outcome]++
    if (outcome === 'uploaded') counts.uploadedBytes += blob.size
  }
  await pool(
    wantedBlobs(images).values(),
    options.parallel,
    options.signal,
    async ({ blob, sourceRepository, repositories }) => {
      let mountFrom = options.mountFrom?.(blob.digest)
      try {
        for (const repository of repositories) {
          const fetch = { retry: options.retry, signal: options.signal }
          const open = (): AsyncIterable<Buffer> =>
            counted(fetchBlob(source, sourceRepository, blob, fetch), options.onBytes)
          count(
            await destination.putBlob(repository, blob, open, {
              signal: options.signal,
              ...(mountFrom === undefined ? {} : { mountFrom }),
            }),
            blob,
          )
          mountFrom ??= repository
        }
      } catch (error) {
        if (options.signal.aborted || endsRun(error)) throw error
        failures.set(blob.digest, error)
      }
    },
  )
  return { counts, failures }
}

function wantedBlobs(images: readonly CopyImage[]): Map<string, Wanted> {
  const wanted = new Map<string, Wanted>()
  for (const image of images) {
    for (const { digest, size } of image.blobs) {
      const blob = { mediaType: 'application/octet-stream', digest, size }
      const known = wanted.get(digest) ?? {
        blob,
        sourceRepository: image.sourceRepository,
        repositories: new Set<string>(),
      }
      known.repositories.add(image.repository)
      wanted.set(digest, known)
    }
  }
  return wanted
}

async function* counted(
  chunks: AsyncIterable<Buffer>,
  onBytes: ((count: number) => void) | undefined,
): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    yield chunk
    onBytes?.(chunk.length)
  }
}
