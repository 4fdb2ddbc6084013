import type { PlannedSync, SyncPlan, SyncPlanPair, SyncSide } from '@carryall/schemas'
import { backupTag } from './backup-tag.ts'
import { mergeFindings } from './merge-findings.ts'
import type { Pair } from './pairs.ts'
import { policyFor } from './policy.ts'
import type { Resolved } from './resolve-images.ts'
import { byDestination } from './sort-images.ts'

/** A pair with all that was found out about it. */
export interface Findings {
  readonly pair: Pair
  readonly about: SyncPlanPair
  readonly images: readonly Resolved[]
  readonly extra: readonly { readonly side: SyncSide; readonly digest?: string | undefined }[]
  /** What all tags of the source are called at the destination, by `destinationKey`, also of those that filters leave out. */
  readonly names: ReadonlySet<string>
}

export interface PlanFacts {
  readonly now: Date
  readonly tool: SyncPlan['tool']
  readonly deleteExtra: boolean
  /** Bytes per second that the network, or the limit, lets pass; unknown if absent. */
  readonly rate: number | undefined
}

/** Whether a tag that differs may be overwritten, by the policies of its pair. */
export function mayMove(
  pair: Pair,
  { destination, grown }: Pick<Resolved, 'destination' | 'grown'>,
): boolean {
  if (grown === true) return true
  return destination.tag !== undefined && policyFor(destination.tag, ...pair.policies) === 'move'
}

/**
 * The plan that follows from what was found: pure. Throws CONFIG_INVALID for a backup tag that cannot be made, and for two sources of
 * one tag.
 */
export function makePlan(found: readonly Findings[], facts: PlanFacts): SyncPlan {
  const findings = mergeFindings(found)
  const images = findings
    .flatMap((one) => [
      ...one.images.map((image) => planned(image, one.pair, facts)),
      ...one.extra.map((image) => extra(image, facts)),
    ])
    .toSorted(byDestination)
  const blobs: Record<string, number> = {}
  let bytes = 0
  for (const { images: resolved, pair } of findings)
    for (const image of resolved)
      if (actionOf(image, pair) === 'copy' || actionOf(image, pair) === 'move')
        for (const { digest, size } of image.blobs ?? []) {
          blobs[digest] = size
          bytes += size
        }
  const uniqueBytes = Object.values(blobs).reduce((sum, size) => sum + size, 0)
  return {
    apiVersion: 'carryall/v1',
    kind: 'SyncPlan',
    time: facts.now.toISOString(),
    tool: facts.tool,
    pairs: findings.map(({ about }) => about),
    totals: {
      ...counts(images),
      bytes,
      unique_bytes: uniqueBytes,
      ...(facts.rate === undefined
        ? {}
        : { estimated_seconds: Math.round((uniqueBytes / facts.rate) * 10) / 10 }),
    },
    blobs,
    images,
  }
}

function counts(images: readonly PlannedSync[]): Omit<SyncPlan['totals'], 'bytes' | 'unique_bytes'> {
  const inState = (state: PlannedSync['state']): number =>
    images.filter((image) => image.state === state).length
  const doing = (...actions: readonly PlannedSync['action'][]): number =>
    images.filter(({ action }) => actions.includes(action)).length
  const sources = images.flatMap(({ source }) => (source === undefined ? [] : [source]))
  return {
    repositories: new Set(sources.map(({ registry, repository }) => `${registry}/${repository}`)).size,
    images: sources.length,
    missing: inState('missing'),
    same: inState('same'),
    diverged: inState('diverged'),
    extra: inState('extra'),
    unreadable: inState('unreadable'),
    copies: doing('copy', 'move'),
    deletions: doing('delete'),
  }
}

function actionOf(image: Resolved, pair: Pair): PlannedSync['action'] {
  if (image.state === 'missing') return 'copy'
  if (image.state === 'diverged') return mayMove(pair, image) ? 'move' : 'refuse'
  return 'none'
}

function planned(image: Resolved, pair: Pair, { now }: PlanFacts): PlannedSync {
  const action = actionOf(image, pair)
  const { tag } = image.destination
  const backup =
    action === 'move' && pair.backup !== undefined && image.grown !== true
      ? backupTag(pair.backup, { tag: tag!, time: now, digest: image.present! })
      : undefined
  const copies = action === 'copy' || action === 'move'
  return withoutAbsent({
    source: image.source,
    destination: image.destination,
    digest: image.digest,
    media_type: image.mediaType ?? image.image.media_type,
    created: image.image.created,
    platforms: pair.platforms.length === 0 ? undefined : [...pair.platforms],
    attached_to: image.attachedTo,
    state: image.state,
    present: image.state === 'diverged' ? image.present : undefined,
    action,
    backup_tag: backup,
    manifests: copies && image.manifests !== undefined ? [...image.manifests] : undefined,
    blobs: copies ? image.blobs?.map(({ digest }) => digest) : undefined,
    error: image.error,
  })
}

function extra({ side, digest }: Findings['extra'][number], { deleteExtra }: PlanFacts): PlannedSync {
  return withoutAbsent({
    destination: side,
    state: 'extra',
    present: digest,
    action: deleteExtra ? 'delete' : 'none',
  })
}

function withoutAbsent(image: {
  readonly [K in keyof PlannedSync]?: PlannedSync[K] | undefined
}): PlannedSync {
  return Object.fromEntries(Object.entries(image).filter(([, value]) => value !== undefined)) as PlannedSync
}
