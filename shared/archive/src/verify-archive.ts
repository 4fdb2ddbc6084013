import { type ArchiveFault, ArchiveChecker } from './check-archive.ts'
import { followDigest } from './follow-digest.ts'
import { openForReading } from './open-for-reading.ts'
import type { ArchivePlan } from './plan-archives.ts'

export type { ArchiveFault } from './check-archive.ts'

export interface ArchiveCheck {
  /** `sha256:<hex>` of the file as it is, right or wrong. */
  readonly sha256: string
  /** Empty where every byte is as planned; in the order of the file, sizes last. */
  readonly faults: readonly ArchiveFault[]
}

export interface VerifyOptions {
  /** Called with the number of bytes that were checked since the last call. */
  readonly onBytes?: ((count: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Proves an archive in one pass: headers, padding and end are the bytes that the plan gives, every entry has its digest, nothing is missing
 * and nothing added. All faults are collected; an entry that `digests` does not name is one. Entries are hashed here and
 * the file on the hashing thread. Throws INDEX_MISMATCH where the plan contradicts itself, INPUT_NOT_FOUND, PERMISSION_DENIED, IO_FAILED.
 */
export async function verifyArchive(
  path: string,
  plan: ArchivePlan,
  digests: ReadonlyMap<string, string>,
  { onBytes, signal }: VerifyOptions = {},
): Promise<ArchiveCheck> {
  const archive = await openForReading(path)
  const whole = followDigest(archive.handle, archive.size)
  try {
    const checker = new ArchiveChecker(plan, digests)
    let position = 0
    const planned = Math.min(archive.size, plan.size)
    for await (const chunk of archive.chunks(planned, signal)) {
      // Both threads read the same stretch at about the same time, so that a disk is read once.
      position += chunk.length
      whole.advance(position)
      checker.update(chunk)
      onBytes?.(chunk.length)
    }
    const faults = checker.end(archive.size)
    return { sha256: await whole.finish(), faults }
  } finally {
    whole.cancel()
    await archive.close()
  }
}
