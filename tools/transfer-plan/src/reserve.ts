import { badValue, size, type Flag } from '@carryall/cli'

/** What is left alone of each medium. */
export type Reserve = { readonly bytes: number } | { readonly percent: number }

const bytes = size('SIZE', '')
const WANTED = 'a size such as 700MB (10^6) or 64MiB (2^20), or a percentage below 100% such as 5%'

/** `--reserve`: bytes, or a part of each medium. */
export function reserve(help: string): Flag<Reserve> {
  return {
    help,
    value: 'SIZE|PERCENT',
    absent: { bytes: 0 },
    parse: (texts) => {
      const text = texts.at(-1) ?? ''
      const percent = /^(\d{1,2}(?:\.\d+)?)%$/.exec(text)?.[1]
      if (percent !== undefined) return { percent: Number(percent) }
      try {
        return { bytes: bytes.parse([text]) ?? 0 }
      } catch {
        throw badValue(text, WANTED)
      }
    },
  }
}
