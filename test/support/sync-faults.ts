import type { FaultProxy } from './fault-proxy.ts'
import { faultRules } from './fault-rules.ts'
import { type Fault, refusing } from './faults.ts'
import { random } from './random.ts'

/** A share of all requests fails, in ways that pass; which and how follows from the seed. */
export function failingNowAndThen(seed: number, share: number): FaultProxy['faults'] {
  const next = random(seed + 1)
  const any = (): Fault => {
    const kinds: readonly Fault[] = [
      ...[408, 429, 500, 502, 503, 504].map((status) => refusing(status, 'UNKNOWN')),
      { fault: 'reset', after: Math.floor(next() * 400) },
      { fault: 'truncate', after: Math.floor(next() * 400) },
      { fault: 'lost-reply' },
      { fault: 'drop', after: 0 },
    ]
    return kinds[Math.floor(next() * kinds.length)]!
  }
  return faultRules(seed, [{ probability: share, fault: any }])
}
