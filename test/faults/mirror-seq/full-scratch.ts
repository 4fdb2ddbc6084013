import { startSite } from './site.ts'
import { makeCases } from './cases.ts'
import { disturbMirror, measure, placesIn } from './disturb-mirror.ts'
const site = await startSite()
const cases = await makeCases(site)
const kinds = (process.argv[2] ?? 'EIO,SIGKILL,ENOSPC').split(',') as ('EIO' | 'SIGKILL' | 'ENOSPC')[]
const which = (process.argv[3] ?? '0,1,2,3').split(',').map(Number)
for (const what of kinds)
  for (const n of which) {
    const one = cases[n]!
    const at = (slot: number) => site.scratch.at(`s${slot}`, 'content')
    const it = await measure(one, at(0))
    const all = placesIn(at(0), it.calls, what)
    const began = performance.now()
    const chosen = all.values()
    let bad = 0
    await Promise.all(
      [0, 1].map(async (slot) => {
        for (const fault of chosen) {
          const f = await disturbMirror(it, fault, at(slot)).catch((e: unknown) => [
            `${fault.call} ${fault.when}: THROWN ${String(e)}`,
          ])
          for (const t of f) {
            bad++
            console.log(t.slice(0, 900))
          }
        }
      }),
    )
    console.log(
      `== ${one.name} ${what}: ${all.length} places, ${bad} findings, ${Math.round((performance.now() - began) / 1000)} s`,
    )
  }
await site[Symbol.asyncDispose]()
