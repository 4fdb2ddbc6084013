import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Case } from './cases.ts'
import {
  type Call,
  countCalls,
  findBreaches,
  type Injection,
  output,
  readTree,
  runWithInjection,
} from './harness/index.ts'

/** A fresh directory with what the case finds there. */
async function prepared<T>(one: Case, work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'fault-'))
  try {
    await one.prepare(directory)
    return await work(directory)
  } finally {
    await rm(directory, { recursive: true })
  }
}

/** The calls of an undisturbed run, the order that they broke, and the tree that it left: what every other run must reach. */
export function undisturbed(one: Case) {
  return prepared(one, async (directory) => {
    const calls: readonly Call[] = await countCalls(one.argv(directory))
    const finals = one.finals.map((path) => join(directory, path))
    return { calls, breaches: findBreaches(calls, finals), tree: await readTree(directory) }
  })
}

/** What is wrong after a run with one fault, and after a second run that nothing disturbs; nothing if all is well. */
export function disturb(
  one: Case,
  fault: Injection,
  tree: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  return prepared(one, async (directory) => {
    const found: string[] = []
    const run = await runWithInjection(one.argv(directory), fault)
    if (!run.fired) found.push('the fault did not happen')
    if (fault.what !== 'SIGKILL' && run.exitCode !== 74)
      found.push(`exit ${run.exitCode ?? run.signal}: ${run.stderr}`)
    found.push(...(await one.judge(directory)))
    await output(...one.argv(directory)).catch((error: Error) =>
      found.push(`the second run: ${error.message}`),
    )
    const reached = await readTree(directory)
    if (JSON.stringify(reached) !== JSON.stringify(tree))
      found.push(`the second run left ${JSON.stringify(reached)}`)
    return found.map((text) => `${one.name}, ${fault.what} at ${fault.call} ${fault.when}: ${text}`)
  })
}
