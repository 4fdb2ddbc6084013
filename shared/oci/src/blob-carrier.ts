import { limit, singleFlight, type RetryPolicy } from '@carryall/http'
import type { Descriptor } from '@carryall/schemas'
import { blobOpener } from './blob-opener.ts'
import type { BlobOutcome, Destination, Source } from './store.ts'

// A blob that fails for this many images in turn fails for all the others as well.
const TRIES = 3
const TYPE = 'application/octet-stream'

export interface BlobCounts {
  readonly present: number
  readonly mounted: number
  readonly uploaded: number
  readonly uploadedBytes: number
}

export interface CarrierOptions {
  /** Blobs at once. */
  readonly parallel: number
  readonly signal: AbortSignal
  /** For reading a blob at its source. */
  readonly retry: RetryPolicy
  /** A repository of the destination that holds a blob which is to come to the repository `to`, to mount it from. */
  readonly mountFrom?:
    | ((digest: string, to: string) => string | undefined | Promise<string | undefined>)
    | undefined
  readonly onBytes?: ((count: number) => void) | undefined
}

/** Blobs on their way from one source to one destination. */
export interface BlobCarrier {
  /**
   * Makes a blob available in the repository `to`. However many images ask for it: it crosses once, to the first repository, and
   * is mounted from there into the others. Throws what reading and writing it throws.
   */
  bring(blob: Pick<Descriptor, 'digest' | 'size'>, from: string, to: string): Promise<BlobOutcome>
  /** Of all that was brought, each blob once for each repository. */
  readonly counts: BlobCounts
}

/** Keeps what it has brought in mind as long as it lives. */
export function blobCarrier(source: Source, destination: Destination, options: CarrierOptions): BlobCarrier {
  const { parallel, signal, retry, mountFrom, onBytes } = options
  const turn = limit(Math.max(1, parallel))
  const counts = { present: 0, mounted: 0, uploaded: 0, uploadedBytes: 0 }
  const brought = new Set<string>()
  const holders = new Map<string, string>()
  const crossing = new Map<string, Promise<unknown>>()
  const failures = new Map<string, { times: number; error: unknown }>()
  const share = singleFlight<BlobOutcome>()

  const put = async (blob: Descriptor, from: string, to: string): Promise<BlobOutcome> => {
    const holder = holders.get(blob.digest) ?? (await mountFrom?.(blob.digest, to))
    const read = blobOpener(source, from, blob, { retry, signal })
    const open = (offset?: number): AsyncIterable<Buffer> => counted(read(offset), onBytes)
    const mount = holder === undefined || holder === to ? {} : { mountFrom: holder }
    return turn(() => destination.putBlob(to, blob, open, { signal, seekable: true, ...mount }), signal)
  }

  const bring = async (blob: Descriptor, from: string, to: string): Promise<BlobOutcome> => {
    const { digest } = blob
    while (!holders.has(digest) && crossing.has(digest)) await crossing.get(digest)!.catch(() => undefined)
    const failed = failures.get(digest)
    if (failed !== undefined && failed.times >= TRIES) throw failed.error
    const putting = put(blob, from, to)
    if (!holders.has(digest)) crossing.set(digest, putting)
    try {
      const outcome = await putting
      holders.set(digest, holders.get(digest) ?? to)
      brought.add(`${to}@${digest}`)
      counts[outcome] += 1
      if (outcome === 'uploaded') counts.uploadedBytes += blob.size
      return outcome
    } catch (error) {
      if (!signal.aborted) failures.set(digest, { times: (failed?.times ?? 0) + 1, error })
      throw error
    } finally {
      if (crossing.get(digest) === putting) crossing.delete(digest)
    }
  }

  return {
    counts,
    async bring({ digest, size }, from, to) {
      const key = `${to}@${digest}`
      if (brought.has(key)) return 'present'
      return share(key, () => bring({ mediaType: TYPE, digest, size }, from, to))
    },
  }
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
