export { runInProcess } from './run-in-process.ts'
export type { Ran, RunOptions } from './run-in-process.ts'
