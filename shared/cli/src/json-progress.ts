import { errorObject } from '@carryall/errors'
import type { ProgressDisplay } from './create-progress.ts'
import { jsonLine, type Lines } from './messages.ts'
import { Tally } from './tally.ts'

const INTERVAL_MS = 1000

/**
 * NDJSON events: `phase`, `started`, `finished`, `failed`, `progress` (at most one a second) and `end`, each with the
 * numbers so far. Sizes are bytes.
 */
export function jsonProgress(
  lines: Lines,
  tool: string,
  now: () => Date,
  ticks: () => number,
): ProgressDisplay {
  return {
    phase(title, total = {}) {
      const tally = new Tally(title, total, ticks)
      let last = ticks()
      const event = (name: string, fields: object = {}): void =>
        lines.write(
          jsonLine({
            v: 1,
            time: now().toISOString(),
            tool,
            event: name,
            phase: title,
            ...fields,
            ...numbers(tally),
          }),
        )
      event('phase')
      return {
        started(item) {
          tally.start(item)
          event('started', { item })
        },
        advanced(bytes) {
          tally.advance(bytes)
          if (ticks() - last < INTERVAL_MS) return
          last = ticks()
          event('progress', { bytes_per_second: Math.round(tally.rate), ...left(tally) })
        },
        finished(item, note) {
          tally.end(item, false)
          event('finished', { item, ...(note === undefined ? {} : { note }) })
        },
        failed(item, error) {
          tally.end(item, true)
          const { code, message } = errorObject(error)
          event('failed', { item, code, message })
        },
        end: () => event('end', { seconds: Math.round(tally.seconds * 1000) / 1000 }),
      }
    },
    close: async () => {},
  }
}

function numbers(tally: Tally): object {
  return {
    index: tally.done,
    ...(tally.items === undefined ? {} : { items: tally.items }),
    failed: tally.failures,
    bytes: tally.bytes,
    ...(tally.totalBytes === undefined ? {} : { total_bytes: tally.totalBytes }),
  }
}

function left(tally: Tally): object {
  return tally.secondsLeft === undefined ? {} : { seconds_left: Math.round(tally.secondsLeft) }
}
