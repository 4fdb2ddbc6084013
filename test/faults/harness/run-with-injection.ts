import { type Environment, runTraced, type TracedRun } from './run-traced.ts'

/** A fault and its place: the `when`-th `call` (counting from 1) is met by `what` instead of being done. */
export interface Injection {
  readonly call: string
  readonly when: number
  readonly what: 'SIGKILL' | 'EIO' | 'ENOSPC'
}

export interface InjectedRun extends TracedRun {
  /** From the log: the fault met exactly that call. */
  readonly fired: boolean
}

/**
 * Runs a Node program with one fault at one call that `countCalls` has named. The injected call is not done: SIGKILL comes at
 * its entry, an errno is its only effect.
 */
export async function runWithInjection(
  argv: readonly string[],
  { call, when, what }: Injection,
  env: Environment = {},
): Promise<InjectedRun> {
  // See `places`; moreover libuv aborts if a write to its event loop fails.
  if (call === 'write')
    throw new Error('The calls of write cannot be counted; write with a position, which is pwrite64')
  const fault = what === 'SIGKILL' ? 'signal=KILL' : `error=${what}`
  const run = await runTraced(argv, env, `${call}:${fault}:when=${when}`)
  const met = run.calls.filter((one) => (what === 'SIGKILL' ? one.result === '?' : one.injected))
  const killed = what !== 'SIGKILL' || run.signal === 'SIGKILL'
  return { ...run, fired: killed && met.length === 1 && met[0]!.name === call && met[0]!.nth === when }
}
