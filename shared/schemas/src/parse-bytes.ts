const POWER: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
}

/**
 * Bytes of a size that people write: GB is 10^9, GiB 2^30, a bare number is bytes. Undefined for anything else; `5G` is
 * refused because half of the world's tools mean the one by it and half the other.
 */
export function parseBytes(written: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(written)
  const power = POWER[match?.[2]?.toLowerCase() ?? 'no']
  if (match === null || power === undefined) return undefined
  const bytes = Number(match[1]) * power
  if (!Number.isSafeInteger(Math.round(bytes)) || (power === 1 && !Number.isInteger(bytes))) return undefined
  return Math.round(bytes)
}
