import { CarryallError } from './carryall-error.ts'
import { escapeControls, redact } from './redact.ts'

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
  readonly cause?: readonly string[]
}

/** Any thrown value as data, escaped and redacted. What is not ours is INTERNAL, exit 70. */
export function errorObject(error: unknown): ErrorObject {
  const ours = error instanceof CarryallError ? error : new CarryallError('INTERNAL', `Unexpected: ${describe(error)}`, { cause: error })
  const { hint, subject, pointer, location, expected, actual, retryable } = ours.details
  const cause = causes(ours)
  return {
    code: ours.code,
    exit: ours.exit,
    message: clean(ours.message).slice(0, MAX_MESSAGE),
    ...(hint === undefined ? {} : { hint: clean(hint) }),
    ...(subject === undefined ? {} : { subject: { ...subject, name: clean(subject.name) } }),
    ...(pointer === undefined ? {} : { pointer }),
    ...(location === undefined ? {} : { location }),
    ...(expected === undefined ? {} : { expected: typeof expected === 'string' ? clean(expected) : expected }),
    ...(actual === undefined ? {} : { actual: typeof actual === 'string' ? clean(actual) : actual }),
    retryable: retryable ?? false,
    ...(cause.length === 0 ? {} : { cause }),
  }
}

function causes(error: Error): string[] {
  const found: string[] = []
  for (let next = error.cause; next !== undefined && next !== null && found.length < MAX_CAUSES; next = (next as Error).cause) {
    found.push(clean(describe(next)).slice(0, MAX_MESSAGE))
  }
  return found
}

function describe(value: unknown): string {
  return value instanceof Error ? `${value.name}: ${value.message}` : String(value)
}

function clean(text: string): string {
  return escapeControls(redact(text)).replaceAll(/[\n\t]+/g, ' ')
}
