import { errorObject, type ErrorObject } from '@carryall/errors'
import { jsonLine, oneLine, type Lines } from './messages.ts'

const SHOWN = 20

export interface ReportOptions {
  readonly tool: string
  readonly version: string
  readonly format: 'text' | 'json'
  readonly verbose: boolean
  readonly color: boolean
  now(): Date
}

/**
 * Shows errors on stderr: for people with place, hint and (with `verbose`) causes and the stack of a bug, the first
 * twenty; as JSON one object a line, all of them.
 */
export function reportErrors(lines: Lines, errors: readonly unknown[], options: ReportOptions): void {
  const { tool, version, format, now } = options
  if (format === 'json') {
    for (const error of errors) {
      lines.write(
        jsonLine({
          v: 1,
          time: now().toISOString(),
          tool,
          tool_version: version,
          level: 'error',
          ...errorObject(error),
        }),
      )
    }
    return
  }
  for (const error of errors.slice(0, SHOWN)) for (const line of errorText(error, options)) lines.write(line)
  if (errors.length > SHOWN)
    lines.write(`${tool}: and ${errors.length - SHOWN} more errors; the document names them all`)
}

function errorText(error: unknown, { tool, verbose, color }: ReportOptions): string[] {
  const object = errorObject(error)
  const word = color ? '\u001b[1;31merror\u001b[0m' : 'error'
  const place = placeOf(object)
  return [
    `${tool}: ${word} ${object.code}: ${object.message}`,
    ...(place === '' ? [] : [`  at: ${oneLine(place)}`]),
    ...(verbose && object.expected !== undefined ? [`  expected: ${object.expected}`] : []),
    ...(verbose && object.actual !== undefined ? [`  actual: ${object.actual}`] : []),
    ...(verbose ? (object.cause ?? []).map((cause) => `  cause: ${cause}`) : []),
    ...(verbose && object.code === 'INTERNAL' ? stackOf(error) : []),
    ...(object.hint === undefined ? [] : [`  hint: ${object.hint}`]),
  ]
}

function placeOf({ location, pointer }: ErrorObject): string {
  const { file, line, column, offset } = (location ?? {}) as {
    file?: string
    line?: number
    column?: number
    offset?: number
  }
  const position = [file, line, column].filter((part) => part !== undefined).join(':')
  return [
    position,
    ...(offset === undefined ? [] : [`offset ${offset}`]),
    ...(pointer === undefined ? [] : [pointer]),
  ]
    .filter((part) => part !== '')
    .join(' ')
}

function stackOf(error: unknown): string[] {
  const frames = error instanceof Error ? (error.stack ?? '').split('\n').slice(1) : []
  return frames.map((frame) => `  ${oneLine(frame.trim())}`)
}
