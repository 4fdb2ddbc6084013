import type { PlannedSync, SyncedImage, SyncReport } from '@carryall/schemas'
import { standingOf } from './report-counts.ts'

/** How far a destination is behind. */
export type Lag = Pick<SyncReport['readiness'], 'newest' | 'lag_seconds'>

/**
 * The newest tag of the source that is not at the destination, and how long, at `ended`, the oldest such tag has been waiting: 0 where
 * all are there; neither where the source's API tells no times.
 */
export function lagOf(
  entries: readonly { readonly planned: PlannedSync; readonly image: SyncedImage }[],
  ended: Date,
): Lag {
  const behind = entries.filter(({ image }) => image.state !== 'extra' && standingOf(image) !== 'in_sync')
  if (behind.length === 0) return { lag_seconds: 0 }
  const timed = behind.flatMap(({ planned: { source, created } }) =>
    created === undefined || source?.tag === undefined
      ? []
      : [{ image: `${source.registry}/${source.repository}:${source.tag}`, created }],
  )
  const newest = newestOf(timed)
  if (newest === undefined) return {}
  const oldest = timed.reduce((time, { created }) => Math.min(time, Date.parse(created)), Infinity)
  return { newest, lag_seconds: Math.max(0, ended.getTime() - oldest) / 1000 }
}

/** The lag of parts of one plan together, at `ended`; each part's is that at its own end, `ended` in milliseconds. */
export function mergeLags(parts: readonly (Lag & { readonly ended: number })[], ended: number): Lag {
  const behind = parts.filter(({ newest }) => newest !== undefined)
  const newest = newestOf(behind.flatMap((part) => part.newest ?? []))
  if (newest === undefined) return parts.every((part) => part.lag_seconds === 0) ? { lag_seconds: 0 } : {}
  const lags = behind.map((part) => Math.round((part.lag_seconds ?? 0) * 1000) + ended - part.ended)
  return { newest, lag_seconds: Math.max(...lags) / 1000 }
}

/** The latest; of several the first by name. */
function newestOf(images: readonly NonNullable<Lag['newest']>[]): Lag['newest'] {
  return images.reduce<Lag['newest']>((best, one) => {
    if (best === undefined) return one
    const later = Date.parse(one.created) - Date.parse(best.created)
    return later > 0 || (later === 0 && one.image < best.image) ? one : best
  }, undefined)
}
