import { CarryallError } from '@carryall/errors'
import { constructFromEvents, dump, EVENT_ID, parseEvents, YAMLException, type Event } from 'js-yaml'

const MAX_DEPTH = 20
const MAX_NODES = 100_000

/**
 * Parses YAML 1.2 (core schema), one or several documents. Aliases, anchors, tags, merge keys in effect, duplicate keys,
 * depth over 20 and more than 100,000 nodes are refused: nothing that people write for us needs them, and bombs do.
 * Throws INPUT_SYNTAX with file, line and column.
 */
export function parseYaml(text: string, origin: string): unknown[] {
  try {
    const events = parseEvents(text, { maxDepth: MAX_DEPTH })
    if (events.length > MAX_NODES) throw refused(origin, `more than ${MAX_NODES} nodes`)
    for (const event of events) refuseIndirection(event, text, origin)
    return constructFromEvents(events, { source: text, maxAliases: 0, maxTotalMergeKeys: 0 })
  } catch (error) {
    if (error instanceof YAMLException) throw syntaxError(error, origin)
    throw error
  }
}

/** Block YAML: keys in the given order, no folding, no anchors, LF, strings quoted where another reader could take them for something else. */
export function toYaml(value: unknown): string {
  return dump(value, { lineWidth: -1, noRefs: true, quoteStyle: 'double' })
}

function refuseIndirection(event: Event, text: string, origin: string): void {
  if (event.type === EVENT_ID.DOCUMENT || event.type === EVENT_ID.POP) return
  if (event.type === EVENT_ID.ALIAS || event.anchorStart >= 0) throw refused(origin, 'anchors and aliases are not accepted', line(text, event.anchorStart))
  if (event.tagStart >= 0) throw refused(origin, 'tags are not accepted', line(text, event.tagStart))
}

function syntaxError(error: YAMLException, origin: string): CarryallError {
  const mark = error.mark
  return new CarryallError('INPUT_SYNTAX', `Cannot read ${origin} as YAML: ${error.reason}`, {
    location: { file: origin, ...(mark ? { line: mark.line + 1, column: mark.column + 1 } : {}) },
    hint: 'Correct the file at that place',
    cause: error,
  })
}

function refused(origin: string, why: string, at?: number): CarryallError {
  return new CarryallError('INPUT_SYNTAX', `Cannot read ${origin} as YAML: ${why}`, {
    location: { file: origin, ...(at === undefined ? {} : { line: at }) },
    hint: 'Write the values out in full',
  })
}

function line(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}
