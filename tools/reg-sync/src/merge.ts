import { CarryallError } from '@carryall/errors'
import type { SyncReport } from '@carryall/schemas'
import { mergeLags } from './lag.ts'
import { readinessCounts, totalsOf } from './report-counts.ts'
import type { Shard } from './shard.ts'
import { byDestination } from './sort-images.ts'

const WHOLE: readonly Shard[] = [{ index: 1, count: 1 }]

/**
 * One report of those of the parts of a plan, in any order: as one machine had reported that took all of them. The newest report of
 * a part counts. `shards` lists what it covers where that is not all. Pure. Throws SYNC_MISMATCH for reports of several plans, of
 * checks and runs, of other cuts, or of parts that overlap and are not the same.
 */
export function mergeReports(reports: readonly [SyncReport, ...SyncReport[]]): SyncReport {
  for (const report of reports) refuseOther(reports[0], report)
  const parts = newestOfEach(reports).toSorted((a, b) => partsOf(a)[0]!.index - partsOf(b)[0]!.index)
  const [newest] = byTime(parts).toReversed()
  const images = parts.flatMap((part) => part.images).toSorted(byDestination)
  const shards = parts.flatMap(partsOf).toSorted((a, b) => a.index - b.index)
  const counts = readinessCounts(images)
  const started = Math.min(...parts.map((part) => Date.parse(part.time)))
  const ended = Math.max(...parts.map(endOf))
  const sum = (of: (totals: SyncReport['totals']) => number): number =>
    parts.reduce((total, part) => total + of(part.totals), 0)
  const { mode, tool, plan_digest, pairs } = newest!
  const [only, ...others] = parts
  return {
    apiVersion: newest!.apiVersion,
    kind: 'SyncReport',
    mode,
    time: new Date(started).toISOString(),
    seconds: (ended - started) / 1000,
    tool,
    plan_digest,
    ...(shards.length === shards[0]!.count ? {} : { shards }),
    pairs,
    readiness: {
      ready: counts.in_sync === counts.images && !parts.some(lacksList),
      ...counts,
      ...mergeLags(
        parts.map((part) => ({ ...part.readiness, ended: endOf(part) })),
        ended,
      ),
    },
    totals: totalsOf(images, {
      present: sum((totals) => totals.blobs_present),
      mounted: sum((totals) => totals.blobs_mounted),
      uploaded: sum((totals) => totals.blobs_uploaded),
      uploadedBytes: sum((totals) => totals.uploaded_bytes),
    }),
    ...(others.length > 0 || only?.journal === undefined ? {} : { journal: only.journal }),
    images,
  }
}

/** The parts of the plan that a report does not cover, by their number from 1. */
export function missingShards(report: SyncReport): readonly number[] {
  const shards = partsOf(report)
  const there = new Set(shards.map(({ index }) => index))
  return Array.from({ length: shards[0]!.count }, (_, at) => at + 1).filter((index) => !there.has(index))
}

function newestOfEach(reports: readonly SyncReport[]): readonly SyncReport[] {
  const parts = new Map<string, SyncReport>()
  for (const report of byTime(reports)) parts.set(indexesOf(report).join(), report)
  const seen = new Set<number>()
  for (const index of [...parts.values()].flatMap(indexesOf)) {
    if (seen.has(index))
      throw mismatch(
        'reports overlap',
        `part ${index} once`,
        'in several',
        'Merge the reports of the single parts',
      )
    seen.add(index)
  }
  return [...parts.values()]
}

function refuseOther(first: SyncReport, other: SyncReport): void {
  if (other.plan_digest !== first.plan_digest)
    throw mismatch(
      'the reports are of several plans',
      first.plan_digest,
      other.plan_digest,
      'Merge what was done for one plan',
    )
  if (other.mode !== first.mode)
    throw mismatch(
      'a check is no run',
      first.mode,
      other.mode,
      'Merge the reports of runs, or those of checks',
    )
  const [cut, otherCut] = [first, other].map((one) => partsOf(one)[0]!.count)
  if (cut !== otherCut || partsOf(other).some(({ count }) => count !== cut))
    throw mismatch(
      'the plan was cut differently',
      cut!,
      otherCut!,
      'Merge the reports of one cut: --shard I/N with the same N',
    )
}

function mismatch(
  why: string,
  expected: string | number,
  actual: string | number,
  hint: string,
): CarryallError {
  return new CarryallError('SYNC_MISMATCH', `Cannot merge: ${why}`, { expected, actual, hint })
}

/** Not ready with every image in its place: the source was not listed to the end. */
function lacksList({ readiness }: SyncReport): boolean {
  return !readiness.ready && readiness.in_sync === readiness.images
}

/** Oldest first; of the same time by what they say, so that their order does not matter. */
function byTime(reports: readonly SyncReport[]): readonly SyncReport[] {
  return reports.toSorted((a, b) => Date.parse(a.time) - Date.parse(b.time) || endOf(a) - endOf(b))
}

function endOf({ time, seconds }: SyncReport): number {
  return Date.parse(time) + Math.round(seconds * 1000)
}

function partsOf({ shards = [] }: SyncReport): readonly Shard[] {
  return shards.length === 0 ? WHOLE : shards
}

function indexesOf(report: SyncReport): readonly number[] {
  return partsOf(report).map(({ index }) => index)
}
