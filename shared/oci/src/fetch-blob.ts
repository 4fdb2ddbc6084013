import { CarryallError, isCarryallError } from '@carryall/errors'
import { pause, type RetryPolicy } from '@carryall/http'
import type { Descriptor } from '@carryall/schemas'
import type { Source } from './store.ts'
import { blobMeter } from './verified.ts'

// An attempt that brought this much was worth it: the budget of retries starts anew.
const PROGRESS = 1024 * 1024

export interface FetchBlobOptions {
  readonly retry: RetryPolicy
  readonly signal?: AbortSignal
  /**
   * Called where the whole blob came and is not what it should be: what has been yielded is void, and the same blob
   * follows once more from its first byte. Without it the mismatch is thrown at once.
   */
  readonly onRestart?: () => void | Promise<void>
}

/**
 * The bytes of a blob, whole and verified: resumes after a broken connection at its own count of bytes, hashes on the way,
 * and ends only when size and digest are right. A mismatch is fetched once more from zero, since caches lie. Throws
 * SIZE_MISMATCH, DIGEST_MISMATCH and, when the retries are used up, what the source threw last.
 */
export async function* fetchBlob(
  source: Source,
  repository: string,
  blob: Descriptor,
  options: FetchBlobOptions,
): AsyncGenerator<Buffer> {
  try {
    yield* fetchOnce(source, repository, blob, options)
  } catch (error) {
    if (!options.onRestart || !isCarryallError(error, 'SIZE_MISMATCH', 'DIGEST_MISMATCH')) throw error
    await options.onRestart()
    yield* fetchOnce(source, repository, blob, options)
  }
}

async function* fetchOnce(
  source: Source,
  repository: string,
  blob: Descriptor,
  { retry, signal }: FetchBlobOptions,
): AsyncGenerator<Buffer> {
  const meter = blobMeter(blob)
  for (let attempt = 1; ; attempt += 1) {
    const start = meter.size
    let failure: unknown
    try {
      for await (const chunk of source.blob(repository, blob, start, signal)) {
        meter.add(chunk)
        yield chunk
      }
      // Whole, or asked again for what is missing and given nothing: there is no more.
      if (meter.size === blob.size || (attempt > 1 && meter.size === start)) break
      failure = endedEarly(blob, meter.size)
    } catch (error) {
      failure = error
    }
    if (meter.size - start >= PROGRESS) attempt = 1
    await pause(retry, attempt, failure, signal)
  }
  meter.finish()
}

function endedEarly(blob: Descriptor, size: number): CarryallError {
  return new CarryallError(
    'NET_UNAVAILABLE',
    `Blob ${blob.digest} ended after ${size} of ${blob.size} bytes`,
    {
      subject: { kind: 'blob', name: blob.digest, digest: blob.digest },
      expected: blob.size,
      actual: size,
      retryable: true,
      hint: 'Run the same command again; if it stays so, the copy at its source is damaged',
    },
  )
}
