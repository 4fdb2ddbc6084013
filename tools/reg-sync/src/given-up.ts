import { isCarryallError, type ErrorCode } from '@carryall/errors'
import type { PlannedSync, SyncSide } from '@carryall/schemas'

/** Codes that say that a place takes or gives nothing more: what is left there is not tried. */
export const GIVEN_UP: readonly ErrorCode[] = [
  'LOGIN_FAILED',
  'REG_READ_ONLY',
  'REG_QUOTA_EXCEEDED',
  'REG_DISK_FULL',
  'REG_GIVEN_UP',
]

/** The registries, namespaces and repositories that a run has given up. */
export interface Places {
  /** Gives up what the error is about, if it is of that kind. */
  learn(error: unknown): void
  /** Why an image need not be tried; undefined where nothing is known against it. */
  against(image: Pick<PlannedSync, 'source' | 'destination'>): unknown
}

export function places(): Places {
  const givenUp = new Map<string, unknown>()
  return {
    learn(error) {
      if (!isCarryallError(error, ...GIVEN_UP)) return
      const { subject } = error.details
      if (subject?.kind === 'host' || subject?.kind === 'repository') givenUp.set(subject.name, error)
    },
    against({ source, destination }) {
      if (givenUp.size === 0) return undefined
      const all = [...within(destination), ...(source === undefined ? [] : within(source))]
      return givenUp.get(all.find((place) => givenUp.has(place)) ?? '')
    },
  }
}

/** The registry of an image, each namespace, its repository. */
function within({ registry, repository }: SyncSide): readonly string[] {
  const parts = repository.split('/')
  return [registry, ...parts.map((_, index) => [registry, ...parts.slice(0, index + 1)].join('/'))]
}
