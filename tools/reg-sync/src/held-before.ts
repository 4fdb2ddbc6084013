import { isCarryallError } from '@carryall/errors'
import type { Destination } from '@carryall/oci'
import type { PlannedSync } from '@carryall/schemas'

/** A repository of the destination, other than `to`, that holds a blob from an earlier part of the run; undefined where none is known. */
export type HeldBefore = (registry: string, digest: string, to: string) => Promise<string | undefined>

export interface EarlierPart {
  /** What it has finished: all of its blobs are there. */
  readonly done: readonly PlannedSync[]
  /** What it may have begun: each of its blobs may be there, and is asked for. */
  readonly begun: readonly PlannedSync[]
  readonly destination: (registry: string) => Promise<Destination>
  readonly signal: AbortSignal
}

/** Finds what was brought to one repository before the run was cut, so that it is mounted into the others, and not sent again. */
export function heldBefore({ done, begun, destination, signal }: EarlierPart): HeldBefore {
  const known = new Map<string, string>()
  const candidates = new Map<string, Set<string>>()
  for (const image of done) for (const key of keysOf(image)) known.set(key, image.destination.repository)
  for (const image of begun)
    for (const key of keysOf(image))
      candidates.set(key, (candidates.get(key) ?? new Set()).add(image.destination.repository))
  return async (registry, digest, to) => {
    const key = `${registry} ${digest}`
    const holder = known.get(key)
    if (holder !== undefined) return holder
    for (const repository of candidates.get(key) ?? [])
      if (repository !== to && (await has(await destination(registry), repository, digest, signal)))
        return repository
    return undefined
  }
}

/** Of images in the order in which they are begun: those up to the last that is done, and as many more as are done at once. */
export function begunBefore(
  images: readonly PlannedSync[],
  isDone: (image: PlannedSync) => boolean,
  parallelImages: number,
): readonly PlannedSync[] {
  const last = images.findLastIndex(isDone)
  return images.slice(0, last + 1 + parallelImages).filter((image) => !isDone(image))
}

function keysOf({ destination: { registry }, blobs = [] }: PlannedSync): readonly string[] {
  return blobs.map((digest) => `${registry} ${digest}`)
}

/** What cannot be told counts as absent: then it is sent once more. */
async function has(
  store: Destination,
  repository: string,
  digest: string,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    return await store.hasBlob(repository, digest, signal)
  } catch (error) {
    if (signal.aborted || !isCarryallError(error)) throw error
    return false
  }
}
