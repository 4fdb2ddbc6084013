const UNIT: Readonly<Record<string, number>> = { '': 1, ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 }

/** Seconds of `90`, `1.5`, `250ms`, `90s`, `5m`, `2h` or `7d`; undefined for anything else. */
export function parseSeconds(written: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([a-z]*)$/.exec(written)
  const unit = UNIT[match?.[2] ?? 'no']
  return match === null || unit === undefined ? undefined : Number(match[1]) * unit
}

/** A time for people: `0.4s`, `12s`, `7m 05s`, `3h 12m`, `2d 04h`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)}s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole}s`
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${two(whole % 60)}s`
  const minutes = Math.round(whole / 60)
  if (minutes < 1440) return `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m`
  const hours = Math.round(minutes / 60)
  return `${Math.floor(hours / 24)}d ${two(hours % 24)}h`
}

function two(number: number): string {
  return String(number).padStart(2, '0')
}
