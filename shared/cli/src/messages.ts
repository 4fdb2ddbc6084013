import type { Writable } from 'node:stream'
import { escapeControls, redact } from '@carryall/errors'

/** Whole lines on stderr; while a live display is on the terminal they go `through` it, so that neither spoils the other. */
export interface Lines {
  write(line: string): void
  through: ((line: string) => void) | undefined
}

export function createLines(stderr: Writable): Lines {
  // A reader of stderr that has gone must not end the work
  stderr.on('error', () => {})
  const lines: Lines = {
    through: undefined,
    write: (line) => void (lines.through === undefined ? stderr.write(`${line}\n`) : lines.through(line)),
  }
  return lines
}

/** One line of text, safe for a terminal and without secrets. */
export function oneLine(text: string): string {
  return escapeControls(redact(text)).replaceAll(/[\n\t]+/g, ' ')
}

/** One line of JSON, with every string in it escaped and redacted. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => (typeof item === 'string' ? oneLine(item) : item))
}
