import { type Injection, sample } from '../harness/index.ts'
import { disturbTransfer, type Measured, placesIn } from './disturb-transfer.ts'

/** Runs at once, each in a directory of its own. */
const AT_ONCE = 2

/** Puts a fault at each place of a run, or at so many of them, and tells what is wrong after it. */
export async function disturbEach(
  measured: Measured,
  what: Injection['what'],
  count: number,
  rootOf: (slot: number) => string,
): Promise<{ readonly places: number; readonly met: number; readonly found: readonly string[] }> {
  const all = placesIn(rootOf(0), measured.calls, what)
  const chosen = sample(all, count)
  const left = chosen.values()
  const found: string[] = []
  const worker = async (slot: number): Promise<void> => {
    for (const fault of left) found.push(...(await disturbTransfer(measured, fault, rootOf(slot))))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, (_, slot) => worker(slot)))
  return { places: all.length, met: chosen.length, found }
}
