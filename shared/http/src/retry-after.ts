const MAX_MS = 300_000

/**
 * Milliseconds that a Retry-After header asks for: seconds or an HTTP date (RFC 9110 §10.2.3), at most 300 s.
 * Undefined where it is absent, past or not understood.
 */
export function retryAfter(value: string | undefined, now: number): number | undefined {
  const text = value?.trim() ?? ''
  const ms = /^\d{1,15}$/.test(text) ? Number(text) * 1000 : httpDate(text) - now
  return ms > 0 ? Math.min(ms, MAX_MS) : undefined
}

// Date.parse alone would take "12" and "-5" for dates.
function httpDate(text: string): number {
  return /^[A-Z][a-z]{2,8},? .*\d{2}:\d{2}:\d{2}/.test(text) ? Date.parse(text) : Number.NaN
}
