import type { BlobCounts } from '@carryall/oci'
import {
  API_VERSION,
  type PlannedSync,
  type SyncedImage,
  type SyncPlan,
  type SyncReport,
} from '@carryall/schemas'
import { asPlanned } from './as-planned.ts'
import { lagOf } from './lag.ts'
import { readinessCounts, totalsOf } from './report-counts.ts'
import { inShard, type Shard } from './shard.ts'
import { byDestination } from './sort-images.ts'

/** What a run knows beside its plan and what became of it. */
export interface RunFacts {
  readonly mode: SyncReport['mode']
  readonly started: Date
  readonly ended: Date
  readonly tool: SyncReport['tool']
  /** Parts of the plan that the run took; all of it if absent. */
  readonly shards?: readonly Shard[]
  /** File of the journal. */
  readonly journal?: string
  readonly blobs: BlobCounts
}

export interface Reported {
  readonly plan: Pick<SyncPlan, 'pairs' | 'images'>
  readonly planDigest: string
  /** What became of the images; an image that is not in it came out as its plan says where nothing was to be done, and was not tried else. */
  readonly outcomes: ReadonlyMap<PlannedSync, SyncedImage>
  readonly facts: RunFacts
}

/**
 * The report of a run, of the parts of the plan that it took: every image by its name at the destination, and how the destination
 * stands at the end. Ready means that all images of these parts are there with their digests, and that the source's list was
 * complete. Pure.
 */
export function makeReport({ plan, planDigest, outcomes, facts }: Reported): SyncReport {
  const { mode, started, ended, tool, shards, journal, blobs } = facts
  const covered = plan.images.filter(
    ({ destination }) => shards === undefined || shards.some((one) => inShard(destination.repository, one)),
  )
  const entries = covered.map((planned) => ({
    planned,
    image: outcomes.get(planned) ?? asPlanned(planned, mode),
  }))
  const images = entries.map(({ image }) => image).toSorted(byDestination)
  const counts = readinessCounts(images)
  return {
    apiVersion: API_VERSION,
    kind: 'SyncReport',
    mode,
    time: started.toISOString(),
    seconds: (ended.getTime() - started.getTime()) / 1000,
    tool,
    plan_digest: planDigest,
    ...(shards === undefined ? {} : { shards: [...shards] }),
    pairs: plan.pairs.map(({ source, destination, error }) => ({
      source,
      destination,
      ...(error === undefined ? {} : { error }),
    })),
    readiness: {
      ready:
        counts.in_sync === counts.images && plan.pairs.every(({ source_complete: complete }) => complete),
      ...counts,
      ...lagOf(entries, ended),
    },
    totals: totalsOf(images, blobs),
    ...(journal === undefined ? {} : { journal }),
    images,
  }
}
