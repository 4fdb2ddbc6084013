import { CarryallError, type Subject } from './carryall-error.ts'
import { escapeControls } from './escape-controls.ts'
import { redact } from './redact.ts'

const MAX_MESSAGE = 500
const MAX_CAUSES = 5

/** One error as data: what `--log-format json` writes on stderr and what a Failure document lists. */
export interface ErrorObject {
  readonly code: string
  readonly exit: number
  readonly message: string
  readonly hint?: string
  readonly subject?: unknown
  readonly pointer?: string
  readonly location?: unknown
  readonly expected?: string | number
  readonly actual?: string | number
  readonly retryable: boolean
  readonly retry_after_ms?: number
  readonly cause?: readonly string[]
}

/** Any thrown value as data, escaped and redacted, in one line each. What is not ours is INTERNAL, exit 70. Never throws. */
export function errorObject(error: unknown): ErrorObject {
  const ours =
    error instanceof CarryallError
      ? error
      : new CarryallError('INTERNAL', `Unexpected: ${describe(error)}`, { cause: error })
  const { hint, subject, pointer, location, expected, actual, retryable, retryAfterMs } = ours.details
  const cause = causes(ours)
  return {
    code: ours.code,
    exit: ours.exit,
    message: cut(clean(ours.message)),
    ...(hint === undefined ? {} : { hint: clean(hint) }),
    ...(subject === undefined ? {} : { subject: cleanSubject(subject) }),
    ...(pointer === undefined ? {} : { pointer: clean(pointer) }),
    ...(location === undefined ? {} : { location: { ...location, ...optional('file', location.file) } }),
    ...optional('expected', expected),
    ...optional('actual', actual),
    retryable: retryable ?? false,
    ...(retryAfterMs === undefined ? {} : { retry_after_ms: retryAfterMs }),
    ...(cause.length === 0 ? {} : { cause }),
  }
}

function cleanSubject({ kind, name, digest }: Subject): Subject {
  return { kind, name: clean(name), ...(digest === undefined ? {} : { digest: clean(digest) }) }
}

function optional<K extends string>(
  key: K,
  value: string | number | undefined,
): Partial<Record<K, string | number>> {
  if (value === undefined) return {}
  return { [key]: typeof value === 'string' ? clean(value) : value } as Record<K, string | number>
}

function causes(error: Error): string[] {
  const found: string[] = []
  let next: unknown = error.cause
  while (next !== undefined && next !== null && found.length < MAX_CAUSES) {
    found.push(cut(clean(describe(next))))
    next = (next as Error).cause
  }
  return found
}

function describe(value: unknown): string {
  try {
    return value instanceof Error ? `${value.name}: ${value.message}` : String(value)
  } catch {
    return 'a value that cannot be shown'
  }
}

function clean(text: string): string {
  return escapeControls(redact(text)).replaceAll(/[\n\t]+/g, ' ')
}

function cut(text: string): string {
  if (text.length <= MAX_MESSAGE) return text
  // Not through the middle of a character: half a surrogate pair would be damage of our own making.
  return `${text.slice(0, MAX_MESSAGE - 1).replace(/[\ud800-\udbff]$/, '')}…`
}
