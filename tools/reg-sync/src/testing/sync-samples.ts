import { createHash } from 'node:crypto'
import type { PlannedSync, SyncedImage, SyncPlan } from '@carryall/schemas'
import type { RunFacts } from '../report.ts'

/** A digest that is told by its name. */
export function digestOf(name: string): string {
  return `sha256:${createHash('sha256').update(name).digest('hex')}`
}

export const PLAN_DIGEST = digestOf('plan')
export const TOOL = { name: 'reg-sync', version: '1.0.0' }
export const NOW = new Date('2026-11-21T08:00:00Z')

/** An image of a plan; `name` is `repository:tag`. */
export function planned(name: string, more: Partial<PlannedSync> = {}): PlannedSync {
  const [repository = '', tag] = name.split(':')
  const side = { repository, ...(tag === undefined ? {} : { tag }) }
  return {
    ...(more.state === 'extra'
      ? {}
      : { source: { registry: 'prod.example', ...side }, digest: digestOf(name) }),
    destination: { registry: 'dr.example', ...side },
    state: 'missing',
    action: 'copy',
    ...more,
  }
}

export function planOf(
  images: readonly PlannedSync[],
  about: Partial<SyncPlan['pairs'][number]> = {},
): Pick<SyncPlan, 'pairs' | 'images'> {
  return {
    pairs: [
      {
        source: 'docker://prod.example/team',
        destination: 'docker://dr.example/team',
        source_api: 'quay',
        destination_api: 'distribution',
        source_complete: true,
        destination_complete: true,
        attachments: true,
        ...about,
      },
    ],
    images: [...images],
  }
}

export function factsOf(more: Partial<RunFacts> = {}): RunFacts {
  return {
    mode: 'sync',
    started: NOW,
    ended: new Date(NOW.getTime() + 90_000),
    tool: TOOL,
    blobs: { present: 0, mounted: 0, uploaded: 0, uploadedBytes: 0 },
    ...more,
  }
}

/** What became of an image. */
export function outcomeOf(image: PlannedSync, more: Partial<SyncedImage>): SyncedImage {
  const { source, destination, digest, state } = image
  return {
    ...(source === undefined ? {} : { source }),
    destination,
    ...(digest === undefined ? {} : { digest }),
    state,
    ...more,
  }
}
