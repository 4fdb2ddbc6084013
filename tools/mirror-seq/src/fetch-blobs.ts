import { CarryallError, isCarryallError } from '@carryall/errors'
import { fetchBlob, pool, type Source } from '@carryall/oci'
import type { RetryPolicy } from '@carryall/http'
import type { Descriptor, HeldBlob } from '@carryall/schemas'
import type { LocalBlobs } from './local-blobs.ts'
import type { StagedArchives } from './stage-blobs.ts'

/** Where a blob comes from over the network, or from a layout. */
export interface BlobOrigin {
  readonly source: Source
  readonly repository: string
}

export interface FetchOptions {
  readonly parallel: number
  readonly retry: RetryPolicy
  /** Milliseconds for one blob, its retries included; 0 is no limit. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly originOf: (blob: HeldBlob) => Promise<BlobOrigin>
  /** Whether the registry has it as a manifest; its type does not tell, as an artifact's layer may have any. */
  readonly isManifest: (digest: string) => boolean
  readonly onBytes: (count: number) => void
  readonly onBlob: (blob: HeldBlob, how: 'kept' | 'copied' | 'fetched') => void
}

/**
 * Fills the archives: a blob that a former run left whole is kept, one that is on this disk is copied, any other is
 * fetched; each hashed on the way into its place. Many at once, each once. A blob that fails does not stop the others:
 * failures come back by digest.
 */
export async function fetchBlobs(
  archives: StagedArchives,
  local: LocalBlobs,
  options: FetchOptions,
): Promise<ReadonlyMap<string, unknown>> {
  const failures = new Map<string, unknown>()
  await pool(archives.blobs, options.parallel, options.signal, async (blob) => {
    try {
      const how = await place(blob, archives, local, options)
      archives.finish(blob)
      options.onBlob(blob, how)
    } catch (error) {
      if (options.signal.aborted || isLocal(error)) throw error
      failures.set(blob.digest, error)
    }
  })
  return failures
}

async function place(
  blob: HeldBlob,
  archives: StagedArchives,
  local: LocalBlobs,
  options: FetchOptions,
): Promise<'kept' | 'copied' | 'fetched'> {
  if (await local.isWhole(archives.pathOf(blob), blob)) return 'kept'
  if (await copyLocal(blob, archives, local, options)) return 'copied'
  await withinLimit(blob, options, (signal) => fetchInto(blob, archives, options, signal))
  return 'fetched'
}

/** Gives `work` the limit for one blob, and says so where it was reached. */
async function withinLimit(
  blob: HeldBlob,
  { timeoutMs, signal }: FetchOptions,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  if (timeoutMs === 0) return work(signal)
  const limit = AbortSignal.timeout(timeoutMs)
  try {
    await work(AbortSignal.any([signal, limit]))
  } catch (error) {
    if (signal.aborted || !limit.aborted || isCarryallError(error)) throw error
    throw new CarryallError(
      'NET_TIMEOUT',
      `Blob ${blob.digest} did not arrive within ${timeoutMs / 1000} s`,
      {
        subject: { kind: 'blob', name: blob.digest, digest: blob.digest },
        retryable: true,
        hint: 'Run the same command again, which goes on from what is done, or raise --image-timeout',
        cause: error,
      },
    )
  }
}

async function fetchInto(
  blob: HeldBlob,
  archives: StagedArchives,
  options: FetchOptions,
  signal: AbortSignal,
): Promise<void> {
  const { source, repository } = await options.originOf(blob)
  if (options.isManifest(blob.digest)) {
    const { bytes } = await source.manifest(repository, blob.digest, signal)
    await archives.write(blob, 0, bytes)
    options.onBytes(bytes.length)
    return
  }
  let position = 0
  const restart = (): void => void (position = 0)
  const descriptor: Descriptor = { mediaType: blob.media_type, digest: blob.digest, size: blob.size }
  for await (const chunk of fetchBlob(source, repository, descriptor, {
    retry: options.retry,
    signal,
    onRestart: restart,
  })) {
    await archives.write(blob, position, chunk)
    position += chunk.length
    options.onBytes(chunk.length)
  }
}

async function copyLocal(
  blob: HeldBlob,
  archives: StagedArchives,
  local: LocalBlobs,
  options: FetchOptions,
): Promise<boolean> {
  const chunks = local.read(blob, options.signal)
  if (chunks === undefined) return false
  let position = 0
  let reading = true
  try {
    for await (const chunk of chunks) {
      reading = false
      await archives.write(blob, position, chunk)
      position += chunk.length
      reading = true
    }
    return true
  } catch (error) {
    // A copy that is damaged or cannot be read is no reason to fail: its origin has it.
    if (reading && isCarryallError(error, 'DIGEST_MISMATCH', 'SIZE_MISMATCH', 'INPUT_NOT_FOUND', 'IO_FAILED'))
      return false
    throw error
  }
}

/** Trouble with our own disk ends the run; trouble with one blob's origin does not. */
function isLocal(error: unknown): boolean {
  return (
    !isCarryallError(error) ||
    isCarryallError(error, 'IO_FAILED', 'IO_NO_SPACE', 'OS_LIMIT', 'PERMISSION_DENIED', 'OUTPUT_NOT_WRITABLE')
  )
}
