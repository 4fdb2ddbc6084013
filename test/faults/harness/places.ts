import type { Call } from './calls.ts'
import type { Injection } from './run-with-injection.ts'

const WRITES = /^(?:write|pwrite64|writev|pwritev|ftruncate|fallocate)$/

/**
 * Every place where a fault of that kind can be put, from the calls of an undisturbed run. A process can be killed at
 * each call. An error is put at each but at `write` (see `runWithInjection`), and at `close` only where a file was written:
 * nothing can be lost by closing what was read.
 */
export function places(calls: readonly Call[], what: Injection['what']): readonly Injection[] {
  const written = new Set<string>()
  const found: Injection[] = []
  for (const { name, nth, paths } of calls) {
    const path = paths[0] ?? ''
    if (WRITES.test(name)) written.add(path)
    const counts = what === 'SIGKILL' || (name === 'close' ? written.delete(path) : name !== 'write')
    if (counts) found.push({ call: name, when: nth, what })
  }
  return found
}
