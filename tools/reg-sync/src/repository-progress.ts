import { formatBytes, formatSeconds } from '@carryall/cli'
import type { PlannedSync, SyncedImage } from '@carryall/schemas'

/** How far a run is. */
export interface Progressed {
  readonly done: number
  readonly of: number
  readonly synced: number
  readonly skipped: number
  readonly failed: number
  readonly bytes: number
  /** Of what was to be sent. */
  readonly totalBytes: number
  readonly seconds: number
}

/** `Repository 50/270 complete (18.5%): 100 synced, 40 skipped, 2 failed; 1.2 GB of 22.0 GB, 45.1 MB/s, 7m 41s left`. */
export function progressLine({ done, of, synced, skipped, failed, ...rate }: Progressed): string {
  const percent = of === 0 ? 100 : (done / of) * 100
  const { bytes, totalBytes, seconds } = rate
  const left = secondsLeft(done / Math.max(of, 1), rate)
  const pace = [
    ...(totalBytes === 0 ? [] : [`${formatBytes(bytes)} of ${formatBytes(totalBytes)}`]),
    ...(bytes === 0 || seconds === 0 ? [] : [`${formatBytes(bytes / seconds)}/s`]),
    ...(left === undefined || done === of ? [] : [`${formatSeconds(left)} left`]),
  ].join(', ')
  const counts = `${synced} synced, ${skipped} skipped, ${failed} failed`
  return `Repository ${done}/${of} complete (${percent.toFixed(1)}%): ${counts}${pace === '' ? '' : `; ${pace}`}`
}

/** By bytes where there are any to be sent, else by repositories. */
function secondsLeft(
  part: number,
  { bytes, totalBytes, seconds }: Pick<Progressed, 'bytes' | 'totalBytes' | 'seconds'>,
): number | undefined {
  const share = totalBytes > 0 ? bytes / totalBytes : part
  return share > 0 ? (seconds / share) * Math.max(0, 1 - share) : undefined
}

/**
 * Counts the images of a run, and tells when a repository of the destination is complete. An image that is tried again counts once, as it
 * came out last.
 */
export class RepositoryProgress {
  readonly #open = new Map<string, Set<PlannedSync>>()
  readonly #columns = new Map<PlannedSync, Column>()
  readonly #counts = { synced: 0, skipped: 0, failed: 0 }
  readonly #of: number

  /** Of all images of the run, also those that there is nothing to do for. */
  constructor(images: readonly PlannedSync[]) {
    for (const image of images) {
      const waiting = this.#open.get(nameOf(image)) ?? new Set()
      this.#open.set(nameOf(image), waiting.add(image))
    }
    this.#of = this.#open.size
  }

  /** True where that was the last image of its repository. */
  finished(image: PlannedSync, outcome: SyncedImage['outcome']): boolean {
    const before = this.#columns.get(image)
    const column = columnOf(outcome)
    if (before !== undefined) this.#counts[before]--
    this.#counts[column]++
    this.#columns.set(image, column)
    const waiting = this.#open.get(nameOf(image))
    if (waiting === undefined) return false
    waiting.delete(image)
    return waiting.size === 0 && this.#open.delete(nameOf(image))
  }

  get counts(): Pick<Progressed, 'done' | 'of' | Column> {
    return { done: this.#of - this.#open.size, of: this.#of, ...this.#counts }
  }
}

type Column = 'synced' | 'skipped' | 'failed'

/** A tag that differs and stays was skipped. */
function columnOf(outcome: SyncedImage['outcome']): Column {
  switch (outcome) {
    case 'copied':
    case 'moved':
    case 'deleted':
      return 'synced'
    case 'failed':
    case 'not_tried':
      return 'failed'
    default:
      return 'skipped'
  }
}

function nameOf({ destination: { registry, repository } }: PlannedSync): string {
  return `${registry}/${repository}`
}
