import { startSite } from './site.ts'
import { makeUnpackCases } from './unpack-cases.ts'
import { countCalls, runWithInjection } from '../harness/index.ts'
import { undisturbedRun, ENVIRONMENT } from './transfer-case.ts'
await using site = await startSite('transfer-unpack')
const t = (l: string, a: number) => console.log(l, Math.round(performance.now() - a))
let a = performance.now()
const cases = await makeUnpackCases(site)
t('cases', a)
for (const one of cases) {
  const root = site.scratch.at('slot')
  a = performance.now()
  await one.prepare(root)
  t('prepare', a)
  a = performance.now()
  await undisturbedRun(one.argv(root))
  t('run', a)
  a = performance.now()
  await undisturbedRun(one.argv(root))
  t('again', a)
  a = performance.now()
  await one.read(root)
  t('read', a)
  await one.prepare(root)
  a = performance.now()
  const calls = await countCalls(one.argv(root), ENVIRONMENT)
  t('traced', a)
  console.log(calls.length)
  const by: Record<string, number> = {}
  for (const c of calls) by[c.name] = (by[c.name] ?? 0) + 1
  console.log(by)
}
