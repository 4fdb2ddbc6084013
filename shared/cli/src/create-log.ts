import { jsonLine, oneLine, type Lines } from './messages.ts'
import type { Log } from './log.ts'

export interface LogOptions {
  readonly tool: string
  readonly format: 'text' | 'json'
  readonly quiet: boolean
  readonly verbose: boolean
  now(): Date
}

const LABEL = { warn: 'warning: ', info: '', debug: 'debug: ' } as const

/** `tool: warning: message` or one JSON object a line. `quiet` keeps information back, debugging needs `verbose`. */
export function createLog(lines: Lines, { tool, format, quiet, verbose, now }: LogOptions): Log {
  type Write = Log['info']
  const at =
    (level: 'warn' | 'info' | 'debug', shown: boolean): Write =>
    (message, fields = {}) => {
      if (!shown) return
      if (format === 'json') {
        lines.write(jsonLine({ v: 1, time: now().toISOString(), tool, level, message, ...fields }))
        return
      }
      const extra = verbose
        ? Object.entries(fields).map(
            ([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
          )
        : []
      lines.write(`${tool}: ${LABEL[level]}${oneLine(message + extra.join(''))}`)
    }
  return { warn: at('warn', true), info: at('info', !quiet), debug: at('debug', verbose) }
}
