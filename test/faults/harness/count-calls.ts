import type { Call } from './calls.ts'
import { type Environment, runTraced } from './run-traced.ts'

/**
 * The write-class calls of an undisturbed run of a Node program, in order: the places where faults can be put. A run that
 * does not end with 0 is an error. See `runTraced` for what is seen.
 */
export async function countCalls(argv: readonly string[], env: Environment = {}): Promise<readonly Call[]> {
  const { calls, exitCode, signal, stderr } = await runTraced(argv, env)
  if (exitCode !== 0) throw new Error(`${argv.join(' ')} ended with ${exitCode ?? signal}: ${stderr}`)
  return calls
}
