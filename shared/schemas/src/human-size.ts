const UNITS = ['', 'K', 'M', 'G', 'T', 'P']

/** Bytes for people in powers of 1000, one decimal below 10: `512`, `5.5G`, `22G`. */
export function humanSize(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000
    unit++
  }
  if (unit === 0) return String(Math.round(value))
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)}${UNITS[unit]}`
}
