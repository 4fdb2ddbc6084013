import type { Descriptor } from '@carryall/schemas'
import type { BlobCarrier } from './blob-carrier.ts'
import type { CopyImage, CopyOptions } from './copy-image.ts'
import { endsRun } from './ends-run.ts'
import { pool } from './pool.ts'

interface Wanted {
  readonly blob: Pick<Descriptor, 'digest' | 'size'>
  readonly sourceRepository: string
  readonly repositories: Set<string>
}

/**
 * Brings every blob to every repository that needs it. Failures come back by digest; wrong content (82) and an abort are
 * thrown.
 */
export async function copyBlobs(
  images: readonly CopyImage[],
  carrier: BlobCarrier,
  { parallel, signal }: Pick<CopyOptions, 'parallel' | 'signal'>,
): Promise<ReadonlyMap<string, unknown>> {
  const failures = new Map<string, unknown>()
  await pool(
    wantedBlobs(images).values(),
    parallel,
    signal,
    async ({ blob, sourceRepository, repositories }) => {
      try {
        for (const repository of repositories) await carrier.bring(blob, sourceRepository, repository)
      } catch (error) {
        if (signal.aborted || endsRun(error)) throw error
        failures.set(blob.digest, error)
      }
    },
  )
  return failures
}

function wantedBlobs(images: readonly CopyImage[]): Map<string, Wanted> {
  const wanted = new Map<string, Wanted>()
  for (const { blobs, sourceRepository, repository } of images)
    for (const blob of blobs) {
      const known = wanted.get(blob.digest) ?? { blob, sourceRepository, repositories: new Set<string>() }
      known.repositories.add(repository)
      wanted.set(blob.digest, known)
    }
  return wanted
}
