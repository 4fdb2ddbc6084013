import { start } from '../harness/index.ts'
import type { Picture } from './picture.ts'

/** A run of a transfer tool that is disturbed, in a directory that it is given. */
export interface TransferCase {
  readonly name: string
  argv(root: string): readonly string[]
  /** Makes the directory as it is before. */
  prepare(root: string): Promise<void>
  read(root: string): Promise<Picture>
  /** While it runs: what of `whole` it has reported as done, by path. */
  reported(root: string): Promise<readonly string[]>
}

/** The clock of every run stands still, and nothing but faults and failures is told. */
export const ENVIRONMENT = { SOURCE_DATE_EPOCH: '1800000000', CARRYALL_PROGRESS: 'none' } as const

/** A run without faults and tracer. Any other exit than `exit` is an error. */
export async function undisturbedRun(argv: readonly string[], exit = 0): Promise<string> {
  const program = start(argv, { ...process.env, ...ENVIRONMENT })
  const { exitCode, signal } = await program.exit
  if (exitCode !== exit) throw new Error(`ended with ${exitCode ?? signal}: ${program.stderr()}`)
  return program.stdout()
}
