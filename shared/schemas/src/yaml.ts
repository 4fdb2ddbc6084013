import { CarryallError } from '@carryall/errors'
import {
  constructFromEvents,
  dump,
  EVENT_ID,
  parseEvents,
  SCALAR_STYLE,
  visit,
  YAMLException,
  type DumpOptions,
  type Event,
} from 'js-yaml'
import { refuseUnsafe } from './refuse-unsafe.ts'

const MAX_DEPTH = 20
const MAX_NODES = 100_000
/** Every node has one of these beside it, and a text of people hardly has twice as many as it has nodes. */
const SEPARATOR = /[\n,[{]|\r(?!\n)|[-:?](?=\s)/g

/**
 * Parses YAML 1.2 (core schema), one or several documents; documents with nothing in them are left out. Aliases, anchors,
 * tags, merge keys, duplicate keys, keys that name a prototype, depth over 20 and more than 100,000 nodes are refused:
 * nothing that people write for us needs them, and bombs do. Throws INPUT_SYNTAX with file, line and column.
 */
export function parseYaml(text: string, origin: string): unknown[] {
  if (holdsMoreSeparators(text, 2 * MAX_NODES)) throw tooManyNodes(origin)
  try {
    const events = parseEvents(text, { maxDepth: MAX_DEPTH })
    const nodes = events.filter(isNode)
    if (nodes.length > MAX_NODES) throw tooManyNodes(origin)
    for (const node of nodes) refuseIndirection(node, text, origin)
    const values = constructFromEvents(events, { source: text, maxAliases: 0, maxTotalMergeKeys: 0 })
    refuseUnsafe(values, origin, { maxDepth: MAX_DEPTH + 1, keys: ['<<'] })
    return values.filter((value) => value !== null)
  } catch (error) {
    if (error instanceof YAMLException) throw syntaxError(error, origin)
    throw error
  }
}

/** Block YAML: keys in the given order, no folding, no anchors, LF, strings quoted where another reader could take them for something else. */
export function toYaml(value: unknown): string {
  return dump(value, { lineWidth: -1, noRefs: true, quoteStyle: 'double', transform: quoteMarkers })
}

/** Left plain by js-yaml, a key at the top that begins like a document marker would be read as one. */
const quoteMarkers: NonNullable<DumpOptions['transform']> = (documents) =>
  visit(documents, (node) => {
    if (node.kind === 'scalar' && /^(?:---|\.\.\.)/.test(node.value)) node.style = SCALAR_STYLE.DOUBLE_QUOTED
  })

/** The parser makes all events before any can be counted, so what cannot be meant well is not given to it. */
function holdsMoreSeparators(text: string, limit: number): boolean {
  if (text.length <= limit) return false
  let count = 0
  for (const _ of text.matchAll(SEPARATOR)) if (++count > limit) return true
  return false
}

type NodeEvent = Exclude<Event, { type: typeof EVENT_ID.DOCUMENT | typeof EVENT_ID.POP }>

function isNode(event: Event): event is NodeEvent {
  return event.type !== EVENT_ID.DOCUMENT && event.type !== EVENT_ID.POP
}

function refuseIndirection(event: NodeEvent, text: string, origin: string): void {
  if (event.type === EVENT_ID.ALIAS || event.anchorStart >= 0)
    throw refused(origin, 'anchors and aliases are not accepted', line(text, event.anchorStart))
  if (event.tagStart >= 0) throw refused(origin, 'tags are not accepted', line(text, event.tagStart))
}

function tooManyNodes(origin: string): CarryallError {
  return refused(origin, `more than ${MAX_NODES} nodes`)
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
