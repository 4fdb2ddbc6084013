import type { BlobCounts } from '@carryall/oci'
import type { SyncedImage, SyncReport } from '@carryall/schemas'

type Readiness = SyncReport['readiness']
export type ReadinessCounts = Pick<
  Readiness,
  'images' | 'in_sync' | 'missing' | 'diverged' | 'extra' | 'unreadable'
>

/**
 * How an image stands at the end, whatever was planned for it: what was copied is in sync, a conflict has diverged, what failed or was
 * not tried is as it was found. What was found to be the same and could not be proven is unreadable. `gone`: extra, and deleted.
 */
export function standingOf({ state, outcome }: SyncedImage): keyof ReadinessCounts | 'gone' {
  if (state === 'extra') return outcome === 'deleted' ? 'gone' : 'extra'
  switch (outcome) {
    case 'same':
    case 'copied':
    case 'moved':
      return 'in_sync'
    case 'conflict':
      return 'diverged'
    default:
      if (state === 'same') return outcome === undefined ? 'in_sync' : 'unreadable'
      return state
  }
}

/** What readiness says of the images. */
export function readinessCounts(images: readonly SyncedImage[]): ReadinessCounts {
  const counts = { images: 0, in_sync: 0, missing: 0, diverged: 0, extra: 0, unreadable: 0, gone: 0 }
  for (const image of images) {
    counts[standingOf(image)]++
    if (image.state !== 'extra') counts.images++
  }
  const { gone: _, ...rest } = counts
  return rest
}

/** The totals of these images. */
export function totalsOf(images: readonly SyncedImage[], blobs: BlobCounts): SyncReport['totals'] {
  const count = (fits: (image: SyncedImage) => boolean): number => images.filter(fits).length
  const ended = (outcome: SyncedImage['outcome']): number => count((image) => image.outcome === outcome)
  const sources = images.flatMap(({ source }) => (source === undefined ? [] : [source]))
  const { images: wanted, in_sync: right } = readinessCounts(images)
  return {
    repositories: new Set(sources.map(({ registry, repository }) => `${registry}/${repository}`)).size,
    same: count(({ state, outcome }) => outcome === 'same' || (outcome === undefined && state === 'same')),
    copied: ended('copied'),
    moved: ended('moved'),
    conflicts: ended('conflict'),
    deleted: ended('deleted'),
    failed: ended('failed'),
    not_tried: ended('not_tried'),
    // Rounded down: one image of ten thousand that is missing is not 100 percent.
    success_rate: wanted === 0 ? 100 : Math.floor((right / wanted) * 1000) / 10,
    blobs_present: blobs.present,
    blobs_mounted: blobs.mounted,
    blobs_uploaded: blobs.uploaded,
    uploaded_bytes: blobs.uploadedBytes,
    verified: count(({ verified }) => verified !== undefined),
  }
}
