import { type Injection, sample } from '../harness/index.ts'
import { disturbTransfer, type Measured, placesIn } from './disturb-transfer.ts'
import { disturbAtProgram, type Moment } from './kill-at-program.ts'

/** Runs at once, each in a directory of its own. */
const AT_ONCE = 3

export interface Disturbed {
  /** Of so many places, */
  readonly places: number
  /** so many had a fault, */
  readonly tried: number
  /** and this was wrong after it. */
  readonly found: readonly string[]
}

/** Puts a fault at each call of a run that touches its directory, or at so many of them. */
export function disturbCalls(
  measured: Measured,
  what: Injection['what'],
  count: number,
  rootOf: (slot: number) => string,
): Promise<Disturbed> {
  const all = placesIn(rootOf(0), measured.calls, what)
  return disturbEach(all, count, (fault, slot) => disturbTransfer(measured, fault, rootOf(slot)))
}

/** Kills a run on both sides of each start of a program, or of so many of them. */
export function disturbStarts(
  measured: Measured,
  program: string,
  starts: number,
  count: number,
  rootOf: (slot: number) => string,
): Promise<Disturbed> {
  const all = Array.from({ length: starts }, (_, index): readonly Moment[] => [
    { nth: index + 1, side: 'before' },
    { nth: index + 1, side: 'after' },
  ]).flat()
  return disturbEach(all, count, (moment, slot) => disturbAtProgram(measured, program, moment, rootOf(slot)))
}

async function disturbEach<T>(
  all: readonly T[],
  count: number,
  disturb: (one: T, slot: number) => Promise<readonly string[]>,
): Promise<Disturbed> {
  const chosen = sample(all, count)
  const left = chosen.values()
  const found: string[] = []
  const worker = async (slot: number): Promise<void> => {
    for (const one of left) found.push(...(await disturb(one, slot)))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, (_, slot) => worker(slot)))
  return { places: all.length, tried: chosen.length, found }
}
