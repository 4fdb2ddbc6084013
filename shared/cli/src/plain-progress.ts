import { errorObject } from '@carryall/errors'
import { oneLine, type Lines } from './messages.ts'
import type { ProgressDisplay } from './create-progress.ts'
import { Tally } from './tally.ts'

/** One line per finished item, `[12/810] name  12.3 MB`, and one at the end of each phase. */
export function plainProgress(lines: Lines, ticks: () => number): ProgressDisplay {
  return {
    phase(title, total = {}) {
      const tally = new Tally(title, total, ticks)
      const line = (item: string, note: string): void =>
        lines.write(oneLine(`[${tally.count}] ${item}${note === '' ? '' : `  ${note}`}`))
      return {
        started: (item) => tally.start(item),
        advanced: (bytes) => tally.advance(bytes),
        finished(item, note = '') {
          tally.end(item, false)
          line(item, note)
        },
        failed(item, error) {
          tally.end(item, true)
          line(item, failureNote(error))
        },
        end: () => lines.write(oneLine(tally.summary)),
      }
    },
    close: async () => {},
  }
}

/** `failed: CODE message`. */
export function failureNote(error: unknown): string {
  const { code, message } = errorObject(error)
  return `failed: ${code} ${message}`
}
