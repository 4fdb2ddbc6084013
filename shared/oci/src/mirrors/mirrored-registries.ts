import type { Destination } from '../store.ts'
import { firstOf, streamed } from './in-turn.ts'
import { type Name, type Place, placesOf } from './places.ts'
import type { RegistryEntry } from './registries-conf.ts'
import { isUnreachable, newStanding, type Standing, type StandingOptions } from './standing.ts'

/**
 * Opens registries that are read as a registries.conf says: manifests, blobs and what is attached from the mirrors in their
 * order, then from the registry itself, whose word is the last; lists of tags and repositories from that first, since a mirror
 * may have a part only. Where it cannot be reached, the mirrors' lists are taken, with a warning. What could not be reached
 * once is asked last from then on. All else goes to the registry that is named. Reading throws REG_BLOCKED, too.
 */
export function mirroredRegistries(
  entries: readonly RegistryEntry[],
  options: StandingOptions,
): (host: string) => Destination {
  const standing = newStanding(options)
  // By digest and host.
  const broken = new Set<string>()
  return (host) => {
    const places = (name: Omit<Name, 'host'>) => standing.order(placesOf(entries, { host, ...name }))
    return {
      ...options.open(host, false),
      head: async (repository, reference, signal) =>
        firstOf(standing, places({ repository, reference }), {
          name: { host, repository },
          signal,
          ask: (store, place) => store.head(place.repository, place.reference ?? reference, signal),
          found: (head) => head !== undefined,
        }),
      manifest: async (repository, reference, signal) =>
        firstOf(standing, places({ repository, reference }), {
          name: { host, repository },
          signal,
          ask: (store, place) => store.manifest(place.repository, place.reference ?? reference, signal),
          found: () => true,
        }),
      referrers: async (repository, digest, signal, tags) =>
        firstOf(standing, places({ repository }), {
          name: { host, repository },
          signal,
          // The tags are those of the registry itself.
          ask: (store, place) =>
            store.referrers(place.repository, digest, signal, place.mirror ? undefined : tags),
          found: (list) => list.length > 0,
          mirrorsMayDecide: true,
        }),
      blob: (repository, blob, offset, signal) => {
        const key = (place: Place) => `${blob.digest} ${place.host}`
        const order = () => standing.order(places({ repository }), (place) => broken.has(key(place)))
        return streamed(standing, order, {
          signal,
          ask: (store, place) => store.blob(place.repository, blob, offset, signal),
          broke: (place) => void (place.mirror && broken.add(key(place))),
        })
      },
      tags: (repository, signal) =>
        list(standing, { host, repository }, places, signal, (store, place) =>
          store.tags(place.repository, signal),
        ),
      repositories: (signal) =>
        list(standing, { host, repository: '' }, places, signal, (store) => store.repositories(signal)),
    }
  }
}

/** A list of the registry itself, or where that cannot be reached of the first mirror that can. */
function list(
  standing: Standing,
  name: Name,
  places: (name: Name) => readonly Place[],
  signal: AbortSignal | undefined,
  ask: (store: Destination, place: Place) => AsyncIterable<string>,
): AsyncIterable<string> {
  const order = () => {
    const all = standing.order(places(name), ({ mirror }) => mirror)
    // A catalog is that of a whole registry, not of a path in it.
    return name.repository === '' ? all.filter(({ repository }) => repository === '') : all
  }
  return streamed(standing, order, {
    signal,
    ask,
    goOn: (error, place) => place.mirror || isUnreachable(error),
    began: (place) => void (place.mirror && standing.partly(name)),
  })
}
