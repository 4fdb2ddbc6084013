import { CarryallError, isCarryallError } from '@carryall/errors'
import { pool, walkImage, type Destination } from '@carryall/oci'
import type { PlannedSync, SyncedImage, SyncPlan } from '@carryall/schemas'
import { synced } from './apply-plan.ts'
import { destinationKey } from './finished.ts'
import { syncError } from './sync-error.ts'

export interface DeletePorts {
  readonly destination: (registry: string) => Promise<Destination>
  readonly parallel: number
  readonly signal: AbortSignal
  readonly onImage: (image: PlannedSync, outcome: SyncedImage, error?: unknown) => void
}

/**
 * Refuses deletions that a plan must not do: SYNC_LIST_INCOMPLETE (83) where a list did not prove itself complete, so that an image
 * may only seem to be gone from the source; SYNC_DELETE_LIMIT (84) for more than `maxDelete`.
 */
export function checkDeletions(
  { pairs, images }: Pick<SyncPlan, 'pairs' | 'images'>,
  maxDelete: number,
): void {
  const doomed = images.filter(({ action }) => action === 'delete')
  if (doomed.length === 0) return
  const blind = pairs.find((pair) => !pair.source_complete || !pair.destination_complete)
  if (blind !== undefined)
    throw new CarryallError(
      'SYNC_LIST_INCOMPLETE',
      `Nothing is done: the list of ${blind.source_complete ? blind.destination : blind.source} is not complete`,
      {
        subject: { kind: 'host', name: blind.source_complete ? blind.destination : blind.source },
        hint: 'Let the registry be listed without --newest and --changed-since, and with the right to see all repositories',
      },
    )
  if (doomed.length > maxDelete)
    throw new CarryallError(
      'SYNC_DELETE_LIMIT',
      `Nothing is done: ${doomed.length} deletions are planned, and at most ${maxDelete} may be`,
      {
        expected: maxDelete,
        actual: doomed.length,
        hint: `Look at the plan, then give --max-delete ${doomed.length}`,
      },
    )
}

/**
 * Deletes these tags, as long as each still names what it named when it was listed. Where a registry deletes manifests only, one goes
 * if nothing that stays in its repository needs it.
 */
export async function deleteExtra(
  doomed: readonly PlannedSync[],
  ports: DeletePorts,
): Promise<ReadonlyMap<PlannedSync, SyncedImage>> {
  const outcomes = new Map<PlannedSync, SyncedImage>()
  const going = new Set(doomed.map(({ destination }) => destinationKey(destination)))
  const staying = new Map<string, Promise<ReadonlySet<string>>>()
  const needed = (
    destination: Destination,
    registry: string,
    repository: string,
  ): Promise<ReadonlySet<string>> => {
    const key = `${registry}/${repository}`
    const known =
      staying.get(key) ?? manifestsThatStay(destination, registry, repository, going, ports.signal)
    staying.set(key, known)
    return known
  }
  await pool(doomed, ports.parallel, ports.signal, async (image) => {
    const { registry, repository, tag } = image.destination
    const settle = (outcome: Partial<SyncedImage>, error?: unknown): void => {
      const done = synced(image, outcome)
      outcomes.set(image, done)
      ports.onImage(image, done, error)
    }
    try {
      const destination = await ports.destination(registry)
      const present = image.present ?? (await destination.head(repository, tag!, ports.signal))?.digest
      if (present === undefined) return settle({ outcome: 'deleted' })
      const remove = (manifestMayGo: boolean) =>
        destination.deleteTag(repository, tag!, present, { manifestMayGo, signal: ports.signal })
      await remove(false).catch(async (error: unknown) => {
        if (!isCarryallError(error, 'REG_REFUSED')) throw error
        if ((await needed(destination, registry, repository)).has(present)) throw error
        await remove(true)
      })
      settle({ outcome: 'deleted', previous_digest: present })
    } catch (error) {
      if (ports.signal.aborted || !isCarryallError(error)) throw error
      settle({ outcome: 'failed', error: syncError(error) }, error)
    }
  })
  return outcomes
}

/** Of the tags that are not deleted, also of those that no plan speaks of. */
async function manifestsThatStay(
  destination: Destination,
  registry: string,
  repository: string,
  going: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const stay = new Set<string>()
  for await (const tag of destination.tags(repository, signal)) {
    if (going.has(destinationKey({ registry, repository, tag }))) continue
    const graph = await walkImage(destination, repository, tag, { signal })
    for (const { digest } of graph.manifests) stay.add(digest)
  }
  return stay
}
