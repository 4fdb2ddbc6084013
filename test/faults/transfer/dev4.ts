import { startSite } from './site.ts'
import { makePackCases } from './pack-cases.ts'
import { countCalls } from '../harness/index.ts'
import { undisturbedRun, ENVIRONMENT } from './transfer-case.ts'
await using site = await startSite('transfer-pack')
const t = (l: string, a: number) => console.log(l, Math.round(performance.now() - a))
let a = performance.now()
const cases = await makePackCases(site)
t('cases', a)
for (const one of cases) {
  const root = site.scratch.at('slot')
  await one.prepare(root)
  a = performance.now()
  await undisturbedRun(one.argv(root))
  t('run', a)
  a = performance.now()
  await undisturbedRun(one.argv(root))
  t('again', a)
  await one.prepare(root)
  for (let i = 0; i < 3; i++) {
    await one.prepare(root)
    a = performance.now()
    const calls = await countCalls(one.argv(root), ENVIRONMENT)
    t('traced', a)
    console.log(calls.length)
    const by: Record<string, number> = {}
    for (const c of calls) by[c.name] = (by[c.name] ?? 0) + 1
    console.log(JSON.stringify(by))
  }
  console.log(
    (await one.read(root)).faults,
    (await one.read(root)).others,
    Object.keys((await one.read(root)).whole),
  )
}
