import type { FaultProxy } from './fault-proxy.ts'
import type { Fault } from './faults.ts'
import type { Phase, Proxied } from './proxied.ts'
import { random } from './random.ts'

/** What goes wrong, and when. A rule without `nth` and `probability` is always meant. */
export interface FaultRule {
  readonly phase?: Phase | readonly Phase[]
  readonly method?: string
  readonly path?: RegExp
  readonly fault: Fault | ((request: Proxied) => Fault)
  /** Those of the requests that match, counted from 1. */
  readonly nth?: number | readonly number[]
  /** In 0…1, by the seed. */
  readonly probability?: number
  /** At most so often. */
  readonly times?: number
  /** At most so often for one method and path: the client that tries again gets through. */
  readonly perRequest?: number
}

/** Decides by the first rule that has something to say. The same seed and the same order of requests give the same faults. */
export function faultRules(seed: number, rules: readonly FaultRule[]): FaultProxy['faults'] {
  const next = random(seed)
  const states = rules.map((rule) => ({ rule, matched: 0, done: 0, perRequest: new Map<string, number>() }))
  return (request) => {
    for (const state of states) {
      const { rule } = state
      if (!matches(rule, request)) continue
      state.matched++
      const key = `${request.method} ${request.path}`
      const before = state.perRequest.get(key) ?? 0
      // Drawn in any case: what one rule's limits hold back does not shift the others' luck.
      const isDrawn = rule.probability === undefined || next() < rule.probability
      const isMeant = rule.nth === undefined || [rule.nth].flat().includes(state.matched)
      const isUsedUp = state.done >= (rule.times ?? Infinity) || before >= (rule.perRequest ?? Infinity)
      if (!isDrawn || !isMeant || isUsedUp) continue
      state.done++
      state.perRequest.set(key, before + 1)
      return typeof rule.fault === 'function' ? rule.fault(request) : rule.fault
    }
    return undefined
  }
}

/** Faults of all kinds for a share of the requests that `seed` picks; each request of one kind at most `times` times. */
export function randomFaults(seed: number, share: number, times: number): FaultProxy['faults'] {
  const next = random(seed)
  return ({ before, method }) => {
    if (before >= times || method === 'HEAD' || next() >= share) return undefined
    const after = Math.floor(next() * 3000)
    const kinds: readonly Fault[] = [
      { fault: 'reset', after },
      { fault: 'truncate', after },
      { fault: 'status', status: 429, headers: { 'retry-after': '0' } },
      { fault: 'status', status: 503 },
      { fault: 'status', status: 500 },
    ]
    return kinds[Math.floor(next() * kinds.length)]
  }
}

function matches({ phase, method, path }: FaultRule, request: Proxied): boolean {
  return (
    (phase === undefined || [phase].flat().some((each) => request.phases.includes(each))) &&
    (method === undefined || method === request.method) &&
    (path === undefined || path.test(request.path))
  )
}
