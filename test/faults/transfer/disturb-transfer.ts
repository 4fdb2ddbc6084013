import { type Call, countCalls, type Injection, places, runWithInjection } from '../harness/index.ts'
import { failureCodes } from './failures.ts'
import { differences, halfDone, type Picture } from './picture.ts'
import { ENVIRONMENT, type TransferCase, undisturbedRun } from './transfer-case.ts'

/** A case, and what it comes to where nothing disturbs it. */
export interface Measured {
  readonly one: TransferCase
  readonly before: Picture
  readonly after: Picture
  readonly calls: readonly Call[]
}

/** Errors of the system in the words of the product. */
/** What is staged and neither synced on its own before, nor written anew by every run, nor a directory of a far side. */
const STAGED =
  /\/\.carryall-partial-|\/tree\/(?!large$|parts$|sub$|a$|a\/b$|SHA256SUMS$|release-metadata.yaml$)/
const LOCK = /[/.-]lock$/
const CODE = { EIO: 'IO_FAILED', ENOSPC: 'IO_NO_SPACE' } as const

export async function measure(one: TransferCase, root: string): Promise<Measured> {
  await one.prepare(root)
  const before = await one.read(root)
  const calls = await countCalls(one.argv(root), ENVIRONMENT)
  return { one, before, after: await one.read(root), calls }
}

/** The places at which a run touches what is below the directory. */
export function placesIn(
  root: string,
  calls: readonly Call[],
  what: Injection['what'],
): readonly Injection[] {
  const inside = new Set(
    calls
      .filter(({ paths }) => paths.some((path) => path === root || path.startsWith(`${root}/`)))
      .map(({ name, nth }) => `${name} ${nth}`),
  )
  const found = places(calls, what).filter(({ call, when }) => inside.has(`${call} ${when}`))
  if (what === 'SIGKILL') return found
  // A close that fails is done in truth. One that is injected is not, so that a lock would be held for ever.
  const locks = new Set(
    calls.filter(({ name, paths }) => name === 'close' && LOCK.test(paths[0]!)).map(({ nth }) => nth),
  )
  return found.filter(({ call, when }) => call !== 'close' || !locks.has(when))
}

/** What is wrong after a run with one fault, and after a second run that nothing disturbs; nothing if all is well. */
export async function disturbTransfer(
  measured: Measured,
  fault: Injection,
  root: string,
): Promise<readonly string[]> {
  const { one, after } = measured
  await one.prepare(root)
  const run = await runWithInjection(one.argv(root), fault, ENVIRONMENT)
  const found = await afterFault(measured, root, (between) => [
    ...(run.fired ? [] : ['the fault did not happen']),
    ...(fault.what === 'SIGKILL' ? [] : badEnding(run, fault.what, between, after)),
    ...distrust(run.calls, root, between),
  ])
  const where = run.calls.find(({ name, nth }) => name === fault.call && nth === fault.when)?.paths.join(' ')
  return found.map((text) => `${one.name}, ${fault.what} at ${fault.call} ${fault.when} (${where}): ${text}`)
}

/** What is wrong when a run has met a fault, and after a second run that nothing disturbs. */
export async function afterFault(
  { one, before, after }: Measured,
  root: string,
  judge: (between: Picture) => readonly string[],
): Promise<readonly string[]> {
  const between = await one.read(root)
  const found = [...between.faults, ...halfDone(between, before, after), ...judge(between)]
  await undisturbedRun(one.argv(root)).catch((error: Error) => found.push(`the second run ${error.message}`))
  const reached = await one.read(root)
  return [...found, ...reached.faults, ...differences('the second run left', reached, after)]
}

/** What could not be synced may be in the cache and not on the disk: no later run may find it there and believe it. */
function distrust(calls: readonly Call[], root: string, between: Picture): readonly string[] {
  const fault = calls.find(({ injected, name }) => injected && name === 'fsync')
  const path = fault?.paths[0]?.slice(root.length + 1)
  if (path === undefined || !STAGED.test(path)) return []
  return between.others.filter((other) => other === path).map((other) => `${other} is still there`)
}

/** An error ends a run with 74 and says so on the pipe; it may be passed over only where nothing came of it. */
function badEnding(
  run: Awaited<ReturnType<typeof runWithInjection>>,
  what: keyof typeof CODE,
  between: Picture,
  after: Picture,
): readonly string[] {
  const ending = `exit ${run.exitCode ?? run.signal}: ${run.stderr}`
  if (run.exitCode === 0) return differences(`${ending}, and left`, between, after)
  const codes = failureCodes(run.stdout).join()
  if (run.exitCode === 74 && codes === CODE[what]) return []
  return [`${ending} and ${codes || 'no code'} on the pipe`]
}
