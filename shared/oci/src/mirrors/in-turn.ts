import type { Destination } from '../store.ts'
import type { Name, Place } from './places.ts'
import { isUnreachable, type Standing } from './standing.ts'

export interface Question<T> {
  readonly name: Name
  readonly signal: AbortSignal | undefined
  ask(store: Destination, place: Place): Promise<T>
  /** False for an answer that says: not here. */
  found(answer: T): boolean
  /** "Not here" of a mirror counts where the registry itself cannot be reached. */
  readonly mirrorsMayDecide?: boolean
}

/** The first answer that is one; else what the registry itself says. */
export async function firstOf<T>(
  standing: Standing,
  places: readonly Place[],
  { name, signal, ask, found, mirrorsMayDecide }: Question<T>,
): Promise<T> {
  let own: { readonly answer: T } | undefined
  let mirrors: { readonly answer: T } | undefined
  let last: unknown
  for (const place of places) {
    try {
      const answer = await ask(standing.open(place), place)
      if (found(answer)) {
        standing.served(name, place)
        return answer
      }
      if (place.mirror) mirrors ??= { answer }
      else own = { answer }
    } catch (error) {
      const ours = standing.failed(place, error, signal)
      if (!place.mirror || last === undefined) last = ours
    }
  }
  if (own !== undefined) return own.answer
  if (mirrors === undefined || !mirrorsMayDecide || !isUnreachable(last)) throw last
  standing.partly(name)
  return mirrors.answer
}

export interface Stream<T> {
  readonly signal: AbortSignal | undefined
  ask(store: Destination, place: Place): AsyncIterable<T>
  /** False where a failure of this place ends it. */
  goOn?(error: unknown, place: Place): boolean
  began?(place: Place): void
  broke?(place: Place): void
}

/** From the first place that gives a first item, or ends; what breaks after that is thrown, as no item is given twice. */
export async function* streamed<T>(
  standing: Standing,
  places: () => readonly Place[],
  { signal, ask, goOn, began, broke }: Stream<T>,
): AsyncGenerator<T> {
  let last: unknown
  for (const place of places()) {
    let begun = false
    try {
      for await (const item of ask(standing.open(place), place)) {
        if (!begun) began?.(place)
        begun = true
        yield item
      }
      return
    } catch (error) {
      if (begun) broke?.(place)
      if (begun) throw error
      const ours = standing.failed(place, error, signal)
      if (goOn !== undefined && !goOn(error, place)) throw ours
      if (!place.mirror || last === undefined) last = ours
    }
  }
  throw last
}
