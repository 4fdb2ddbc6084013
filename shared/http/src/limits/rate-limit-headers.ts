import type { HttpResponse } from '../response.ts'

/** What a host says about the requests that it still takes. */
export interface RateLimit {
  readonly remaining: number
  readonly limit: number | undefined
  /** Milliseconds until it counts anew; undefined where it does not say. */
  readonly resetMs: number | undefined
  /** Docker Hub's form: only GET of a manifest counts. */
  readonly pullsOnly: boolean
}

// A larger number is a time in seconds since 1970.
const EPOCH = 1_000_000_000

/**
 * Reads `RateLimit` (`limit=100, remaining=3, reset=20`, and `"name";r=3;t=20`), Docker Hub's `RateLimit-Remaining: 3;w=21600`,
 * the separate `RateLimit-*` and the `X-RateLimit-*` headers. Undefined where there are none, or none that makes sense.
 */
export function rateLimit({ header }: HttpResponse, now: Date): RateLimit | undefined {
  const whole = header('ratelimit')
  if (whole !== undefined) {
    const policy = header('ratelimit-policy') ?? ''
    return made(
      parameter(whole, 'remaining') ?? parameter(whole, 'r'),
      parameter(whole, 'limit') ?? parameter(policy, 'q'),
      parameter(whole, 'reset') ?? parameter(whole, 't'),
      now,
    )
  }
  for (const prefix of ['ratelimit', 'x-ratelimit']) {
    const remaining = header(`${prefix}-remaining`)
    if (remaining === undefined) continue
    const window = parameter(remaining, 'w')
    const reset = leading(header(`${prefix}-reset`)) ?? window
    return made(leading(remaining), leading(header(`${prefix}-limit`)), reset, now, window !== undefined)
  }
  return undefined
}

function made(
  remaining: number | undefined,
  limit: number | undefined,
  reset: number | undefined,
  now: Date,
  pullsOnly = false,
): RateLimit | undefined {
  if (remaining === undefined) return undefined
  const ms = reset === undefined ? undefined : reset > EPOCH ? reset * 1000 - now.getTime() : reset * 1000
  return { remaining, limit, resetMs: ms === undefined ? undefined : Math.max(0, ms), pullsOnly }
}

function leading(value: string | undefined): number | undefined {
  const digits = /^\s*(\d{1,15})/.exec(value ?? '')?.[1]
  return digits === undefined ? undefined : Number(digits)
}

function parameter(value: string, name: string): number | undefined {
  const digits = new RegExp(`(?:^|[\\s,;])${name}="?(\\d{1,15})`, 'i').exec(value)?.[1]
  return digits === undefined ? undefined : Number(digits)
}
