import type { RetryPolicy } from '@carryall/http'
import { blobCarrier, type BlobCarrier, type BlobCounts, type Destination, type Source } from '@carryall/oci'
import type { PlannedSync } from '@carryall/schemas'
import type { HeldBefore } from './held-before.ts'

export interface WayPorts {
  readonly source: (registry: string) => Promise<Source>
  readonly destination: (registry: string) => Promise<Destination>
  readonly retry: RetryPolicy
  /** Blobs at once. */
  readonly parallel: number
  readonly signal: AbortSignal
  /** Where an earlier part of the run has left blobs. */
  readonly held?: HeldBefore | undefined
  readonly onBytes?: (count: number) => void
}

/** Between one registry and another, with what is known to be where. */
export interface Way {
  readonly source: Source
  readonly destination: Destination
  readonly carrier: BlobCarrier
}

/** The ways between the registries of these images, each opened once. */
export function waysBetween(images: readonly PlannedSync[], ports: WayPorts) {
  const { source, destination, parallel, signal, retry, held, onBytes } = ports
  const ways = new Map<string, Promise<Way>>()
  // What stays within its registry is mounted from where it is.
  const homes = new Map(
    images
      .filter((image) => image.source?.registry === image.destination.registry)
      .flatMap((image) => (image.blobs ?? []).map((digest) => [digest, image.source!.repository])),
  )
  const carriers: BlobCarrier[] = []
  const open = async (from: string, to: string): Promise<Way> => {
    const [origin, target] = [await source(from), await destination(to)]
    const mountFrom = async (digest: string, at: string): Promise<string | undefined> =>
      (await held?.(to, digest, at)) ?? (from === to ? homes.get(digest) : undefined)
    const carrier = blobCarrier(origin, target, { parallel, signal, retry, mountFrom, onBytes })
    carriers.push(carrier)
    return { source: origin, destination: target, carrier }
  }
  return {
    get({ source: from, destination: to }: PlannedSync): Promise<Way> {
      const key = `${from!.registry} ${to.registry}`
      const known = ways.get(key) ?? open(from!.registry, to.registry)
      ways.set(key, known)
      return known
    },
    counts: (): BlobCounts =>
      carriers.reduce(
        (sum, { counts }) => ({
          present: sum.present + counts.present,
          mounted: sum.mounted + counts.mounted,
          uploaded: sum.uploaded + counts.uploaded,
          uploadedBytes: sum.uploadedBytes + counts.uploadedBytes,
        }),
        { present: 0, mounted: 0, uploaded: 0, uploadedBytes: 0 },
      ),
  }
}
