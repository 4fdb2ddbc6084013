import { type Call, countCalls, type Injection, places, runWithInjection } from '../harness/index.ts'
import { type MirrorCase, undisturbedRun } from './cases.ts'
import { ENVIRONMENT } from './site.ts'
import { readState, type State } from './state.ts'

/** A case, and what it comes to where nothing disturbs it. */
export interface Measured {
  readonly one: MirrorCase
  readonly before: State
  readonly after: State
  readonly calls: readonly Call[]
}

/** Errors of the system in the words of the product. */
const CODE = { EIO: 'IO_FAILED', ENOSPC: 'IO_NO_SPACE' } as const
const ATTEMPTS = 3

export async function measure(one: MirrorCase, content: string): Promise<Measured> {
  await one.prepare(content)
  const before = await readState(content, one.drawsId)
  const calls = await countCalls(one.argv(content), ENVIRONMENT)
  return { one, before, after: await readState(content, one.drawsId), calls }
}

/** The places at which a run touches the content directory. */
export function placesIn(
  content: string,
  calls: readonly Call[],
  what: Injection['what'],
): readonly Injection[] {
  const inside = new Set(
    calls
      .filter(({ paths }) => paths.some((path) => isWithin(content, path)))
      .map(({ name, nth }) => `${name} ${nth}`),
  )
  return places(calls, what).filter(({ call, when }) => inside.has(`${call} ${when}`))
}

/** Places that a sample must not miss: what is known of an archive is lost at its sync, at its close, and where it is opened to be read. */
export function isTelling(calls: readonly Call[]): (fault: Injection) => boolean {
  const seen = new Set<string>()
  const telling = new Set<string>()
  for (const { name, nth, paths } of calls) {
    const key = `${name} ${paths[0]}`
    if (/^(?:fsync|close|openat)$/.test(name) && key.endsWith('.tar') && !seen.has(key))
      telling.add(`${name} ${nth}`)
    seen.add(key)
  }
  return ({ call, when }) => telling.has(`${call} ${when}`)
}

/** What is wrong after a run with one fault, and after a second run that nothing disturbs; nothing if all is well. */
export async function disturbMirror(
  measured: Measured,
  fault: Injection,
  content: string,
): Promise<readonly string[]> {
  const { one, after } = measured
  const run = await meetFault(one, fault, content)
  const between = await readState(content, one.drawsId)
  const found = [...between.faults, ...halfPublished(between, measured)]
  if (!run.fired) found.push('the fault did not happen')
  if (fault.what !== 'SIGKILL') found.push(...badEnding(run, fault.what, between, after))
  found.push(...distrust(run.calls, between))
  await undisturbedRun(one.argv(content)).catch((error: Error) =>
    found.push(`the second run ${error.message}`),
  )
  const reached = await readState(content, one.drawsId)
  found.push(...reached.faults, ...differences('the second run left', reached, after))
  const where = run.calls.find(({ name, nth }) => name === fault.call && nth === fault.when)?.paths.join(' ')
  return found.map((text) => `${one.name}, ${fault.what} at ${fault.call} ${fault.when} (${where}): ${text}`)
}

/** Where something outside makes a call more or less, such as the network, it is tried again. */
async function meetFault(
  one: MirrorCase,
  fault: Injection,
  content: string,
): ReturnType<typeof runWithInjection> {
  for (let attempt = 1; ; attempt++) {
    await one.prepare(content)
    const run = await runWithInjection(one.argv(content), fault, ENVIRONMENT)
    if (run.fired || attempt === ATTEMPTS) return run
  }
}

/** What was there is there, and what is new is whole. */
function halfPublished(between: State, { before, after }: Measured): readonly string[] {
  const found: string[] = []
  for (const name of Object.keys(before.sequences))
    if (!(name in between.sequences)) found.push(`${name} is gone`)
  for (const [name, tree] of Object.entries(between.sequences)) {
    if (JSON.stringify(tree) !== JSON.stringify(after.sequences[name]))
      found.push(`${name} holds ${JSON.stringify(tree)}`)
  }
  for (const name of between.others) if (!name.startsWith('.carryall')) found.push(`${name} is in the way`)
  return found
}

/** An error ends a run with 74 and says so on the pipe; it may be passed over only where nothing came of it. */
function badEnding(
  run: Awaited<ReturnType<typeof runWithInjection>>,
  what: 'EIO' | 'ENOSPC',
  between: State,
  after: State,
): readonly string[] {
  const ending = `exit ${run.exitCode ?? run.signal}: ${run.stderr}`
  if (run.exitCode === 0) return differences(`${ending}, and left`, between, after)
  const document = JSON.parse(run.stdout || '{}') as { kind?: string; errors?: readonly { code: string }[] }
  // One error for each image that met it.
  const codes = [...new Set(document.errors?.map(({ code }) => code))].join()
  if (run.exitCode === 74 && document.kind === 'Failure' && codes === CODE[what]) return []
  return [`${ending} and ${codes || 'no code'} on the pipe`]
}

/** What could not be synced may be in the cache and not on the disk: no later run may find it there and believe it. */
function distrust(calls: readonly Call[], between: State): readonly string[] {
  const fault = calls.find(({ injected }) => injected)
  const path = fault?.paths[0]
  if (fault === undefined || !path?.endsWith('.tar')) return []
  // The first sync, and the close after it. When it is published all of it is synced again, and then nothing is at stake.
  const own = calls.filter(({ paths }) => paths[0] === path)
  const first = own.findIndex(({ name }) => name === 'fsync')
  const at = own.indexOf(fault)
  if (at !== first && !(at === first + 1 && fault.name === 'close')) return []
  return between.others.filter((other) => path.endsWith(other)).map((other) => `${other} is still there`)
}

function differences(what: string, reached: State, after: State): readonly string[] {
  const [one, other] = [reached, after].map(({ sequences, others, head }) => ({ sequences, others, head }))
  return JSON.stringify(one) === JSON.stringify(other) ? [] : [`${what} ${JSON.stringify(one)}`]
}

function isWithin(directory: string, path: string): boolean {
  return path === directory || path.startsWith(`${directory}/`)
}
