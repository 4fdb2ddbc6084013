import { isCarryallError } from '@carryall/errors'
import type { Descriptor } from '@carryall/schemas'
import { fetchFrom, type FetchFromOptions } from './fetch-from.ts'
import type { Source } from './store.ts'
import { blobMeter } from './verified.ts'

export interface FetchBlobOptions extends FetchFromOptions {
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

function fetchOnce(
  source: Source,
  repository: string,
  blob: Descriptor,
  options: FetchBlobOptions,
): AsyncGenerator<Buffer> {
  return fetchFrom(source, repository, blob, options, blobMeter(blob), 0)
}
