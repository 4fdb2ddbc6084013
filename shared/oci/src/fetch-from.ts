import { CarryallError } from '@carryall/errors'
import { pause, type RetryPolicy } from '@carryall/http'
import type { Descriptor } from '@carryall/schemas'
import type { Source } from './store.ts'
import { type BlobMeter, sizeMismatch } from './verified.ts'

// An attempt that brought this much was worth it: the budget of retries starts anew.
const PROGRESS = 1024 * 1024

export interface FetchFromOptions {
  readonly retry: RetryPolicy
  readonly signal?: AbortSignal
}

/**
 * The bytes of a blob from `start` on, which is at most `meter.size`: what the meter has not seen yet goes into it, so that
 * the end is reached only where the whole blob has hashed, in however many pieces it came. Resumes after a broken
 * connection at its own count of bytes. Throws SIZE_MISMATCH, DIGEST_MISMATCH and, when the retries are used up, what the
 * source threw last.
 */
export async function* fetchFrom(
  source: Source,
  repository: string,
  blob: Descriptor,
  { retry, signal }: FetchFromOptions,
  meter: BlobMeter,
  start: number,
): AsyncGenerator<Buffer> {
  let at = start
  for (let attempt = 1; ; attempt += 1) {
    const before = at
    let failure: unknown
    try {
      for await (const chunk of source.blob(repository, blob, at, signal)) {
        meter.add(chunk.subarray(Math.min(chunk.length, meter.size - at)))
        at += chunk.length
        if (at > blob.size) throw sizeMismatch(blob, at)
        yield chunk
      }
      // Whole, or asked again for what is missing and given nothing: there is no more.
      if (at === blob.size || (attempt > 1 && at === before)) break
      failure = endedEarly(blob, at)
    } catch (error) {
      failure = error
    }
    if (at - before >= PROGRESS) attempt = 1
    await pause(retry, attempt, failure, signal)
  }
  if (at !== blob.size) throw sizeMismatch(blob, at)
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
