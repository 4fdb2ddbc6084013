export { command } from './command.ts'
export type { Readable, Writable } from './server/exchange.ts'
export { serve } from './serve.ts'
export type { Served, ServeOptions, Serving } from './serve.ts'
