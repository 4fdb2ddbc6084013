import type { Call } from './calls.ts'
import type { Injection } from './run-with-injection.ts'

const WRITES = /^(?:write|pwrite64|writev|pwritev|ftruncate|fallocate)$/

/**
 * Every place where a fault of that kind can be put, from the calls of an undisturbed run. A process can be killed at each
 * call, an error is put at each; at `close` only where a file was written, for nothing is lost by closing what was read.
 * `write` is no place: libuv wakes its event loop by the same call, not always as often, so it cannot be counted. What
 * writes with a position, as the product does, uses pwrite64.
 */
export function places(calls: readonly Call[], what: Injection['what']): readonly Injection[] {
  const written = new Set<string>()
  const found: Injection[] = []
  for (const { name, nth, paths } of calls) {
    const path = paths[0] ?? ''
    if (WRITES.test(name)) written.add(path)
    const counts = name === 'close' ? written.delete(path) || what === 'SIGKILL' : name !== 'write'
    if (counts) found.push({ call: name, when: nth, what })
  }
  return found
}
