export { findProgram } from './find-program.ts'
export { run } from './run.ts'
export type { RunOptions, RunResult } from './run.ts'
