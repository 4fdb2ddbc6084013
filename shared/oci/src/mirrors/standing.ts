import { CarryallError, isCarryallError } from '@carryall/errors'
import type { Destination } from '../store.ts'
import type { Name, Place } from './places.ts'

export interface StandingOptions {
  /** The registry at a place; one that stands in for another is not waited for. */
  readonly open: (host: string, mirror: boolean) => Destination
  /** Told once for each repository which mirror it comes from, and of each place that could not serve. */
  readonly debug: (message: string) => void
  readonly warn: (message: string) => void
}

/** What a run has learnt of its places. */
export interface Standing {
  open(place: Place): Destination
  /** Places in their order, but those that cannot be reached, or are `late`, last. */
  order(places: readonly Place[], late?: (place: Place) => boolean): readonly Place[]
  /** Takes in that a place served a name. */
  served(name: Name, place: Place): void
  /** Takes in a failure and gives it back with the hint that an operator needs. Throws what is no failure of the place. */
  failed(place: Place, error: unknown, signal: AbortSignal | undefined): CarryallError
  /** The lists of mirrors are taken for those of the registry. */
  partly(name: Name): void
}

const UNREACHABLE = ['NET_UNAVAILABLE', 'NET_TIMEOUT', 'NET_TLS', 'NET_PLAIN_HTTP_REFUSED'] as const

/** Nothing is known yet: every place is asked in its turn. */
export function newStanding({ open, debug, warn }: StandingOptions): Standing {
  const unreachable = new Set<string>()
  const told = new Set<string>()
  const once = (message: string, say: (message: string) => void): void => {
    if (!told.has(message)) say(message)
    told.add(message)
  }
  return {
    open: ({ host, mirror }) => open(host, mirror),
    order: (places, late = () => false) => {
      const isLate = (place: Place) => unreachable.has(place.host) || late(place)
      return [...places.filter((place) => !isLate(place)), ...places.filter(isLate)]
    },
    served: ({ host, repository }, place) => {
      if (place.mirror)
        once(`${host}/${repository} is read from the mirror ${place.host}/${place.repository}`, debug)
    },
    failed: (place, error, signal) => {
      if (signal?.aborted || !isCarryallError(error)) throw error
      const isNew = isUnreachable(error) && !unreachable.has(place.host)
      if (isUnreachable(error)) unreachable.add(place.host)
      const ours = place.insecure === undefined ? error : explained(error, place)
      const message = `${place.host} does not serve ${place.repository}: ${ours.message}`
      if (isNew && ours !== error) warn(`${message}. ${ours.details.hint}`)
      else debug(message)
      return ours
    },
    partly: ({ host }) =>
      once(`${host} cannot be reached: what its mirrors list is taken for all that there is`, warn),
  }
}

/** True where a registry did not answer; with a status, however bad, it did. */
export function isUnreachable(error: unknown): boolean {
  return isCarryallError(error, ...UNREACHABLE) && typeof error.details.actual !== 'number'
}

/** What weakens a check is the operator's to say, on the command line, and not a file's. */
function explained(error: CarryallError, { host, insecure }: Place): CarryallError {
  if (!isCarryallError(error, 'NET_TLS', 'NET_PLAIN_HTTP_REFUSED')) return error
  return new CarryallError(error.code, error.message, {
    ...error.details,
    hint: `"insecure = true" in ${insecure} counts only together with --src-tls-verify=false, or --plain-http ${host}`,
  })
}
