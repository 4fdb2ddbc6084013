import { CarryallError } from '@carryall/errors'
import type * as z from 'zod'
import { isNewerVersion } from './api-version.ts'
import { pointer, schemaError } from './faults.ts'
import { goKeys } from './go-keys.ts'
import type { Kind } from './kind.ts'
import { KINDS } from './kinds.ts'
import { keysOf } from './shape.ts'
import { nearest } from './suggest.ts'

/** What every document has on top. */
export interface AnyDocument {
  readonly apiVersion: string
  readonly kind: string
}

/**
 * Checks a value against the schema of its own `kind`, one of `kinds` if those are given. Throws SCHEMA_UNKNOWN_KIND,
 * SCHEMA_NEWER, SCHEMA_UNKNOWN_KEY and SCHEMA_INVALID with pointer and file (65).
 */
export function parseDocument(value: unknown, origin: string, kinds?: readonly string[]): AnyDocument {
  const named = kindOf(value, origin)
  const wanted = kinds ?? Object.keys(KINDS)
  const kind = wanted.includes(named) && Object.hasOwn(KINDS, named) ? KINDS[named] : undefined
  if (kind === undefined) throw wrongKind(named, origin, wanted)
  return parseKind(kind, value, origin) as AnyDocument
}

/** A document of any kind that says what it is, known here or not; the rest of it is unchecked. Throws SCHEMA_INVALID. */
export function parseHead(value: unknown, origin: string): AnyDocument {
  kindOf(value, origin)
  return value as AnyDocument
}

/** As `parseDocument` for one kind that the caller knows, with its type. */
export function parseKind<S extends z.ZodType>(kind: Kind<S>, value: unknown, origin: string): z.infer<S> {
  const named = kindOf(value, origin)
  if (named !== kind.kind) throw wrongKind(named, origin, [kind.kind])
  const read = kind.goKeys
    ? goKeys(kind.schema, value, ({ path, spellings }) => refuseTwice(origin, path, spellings))
    : value
  refuseOtherVersion(kind, read, origin)
  refuseCritical(kind, read, origin)
  const parsed = kind.schema.safeParse(read, { reportInput: true })
  if (!parsed.success)
    throw schemaError(parsed.error.issues, origin, kind.kind, (path) => keysOf(kind.schema, path))
  return parsed.data
}

function kindOf(value: unknown, origin: string): string {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new CarryallError(
      'SCHEMA_INVALID',
      `${origin} does not hold a document: an object with "apiVersion" and "kind" is wanted`,
      { pointer: '#', location: { file: origin } },
    )
  }
  const keys = Object.keys(value)
  const key = keys.includes('kind') ? 'kind' : (keys.find((one) => one.toLowerCase() === 'kind') ?? 'kind')
  const named = (value as Record<string, unknown>)[key]
  if (typeof named === 'string') return named
  throw new CarryallError('SCHEMA_INVALID', `${origin} does not say its "kind"`, {
    pointer: '#/kind',
    location: { file: origin },
    hint: `Known kinds: ${Object.keys(KINDS).join(', ')}`,
  })
}

function refuseOtherVersion(kind: Kind, value: unknown, origin: string): void {
  const { apiVersion } = value as { apiVersion?: unknown }
  if (typeof apiVersion !== 'string' || kind.apiVersions.includes(apiVersion)) return
  const newer = isNewerVersion(apiVersion, kind.apiVersions)
  const [current = ''] = kind.apiVersions
  throw new CarryallError(
    newer ? 'SCHEMA_NEWER' : 'SCHEMA_INVALID',
    `${kind.kind} in ${origin} has apiVersion "${apiVersion}"; known here: ${kind.apiVersions.join(', ')}`,
    {
      pointer: '#/apiVersion',
      location: { file: origin },
      expected: current,
      actual: apiVersion,
      hint: newer && kind.writtenBy === 'tools' ? NEWER : `Write apiVersion: ${current}`,
    },
  )
}

const NEWER = 'Use the release of carryall that wrote it, or a newer one'

function refuseCritical(kind: Kind, value: unknown, origin: string): void {
  const { critical } = value as { critical?: unknown }
  if (kind.writtenBy !== 'tools' || !Array.isArray(critical)) return
  const known = keysOf(kind.schema, [])
  const unknown = critical.filter((key) => !known.includes(String(key)))
  if (unknown.length === 0) return
  throw new CarryallError(
    'SCHEMA_NEWER',
    `${kind.kind} in ${origin} needs a reader that knows "${unknown.join('", "')}"`,
    { pointer: '#/critical', location: { file: origin }, hint: NEWER },
  )
}

function refuseTwice(
  origin: string,
  path: readonly PropertyKey[],
  spellings: readonly [string, string],
): never {
  throw new CarryallError(
    'SCHEMA_INVALID',
    `${origin} is not valid: ${pointer(path)}: the key is given twice, as "${spellings.join('" and "')}"`,
    {
      pointer: pointer(path),
      location: { file: origin },
      hint: 'Keys match without regard to case; remove one',
    },
  )
}

function wrongKind(named: string, origin: string, wanted: readonly string[]): CarryallError {
  const meant = nearest(named, wanted)
  return new CarryallError(
    'SCHEMA_UNKNOWN_KIND',
    `${origin} holds a document of kind "${named}"; wanted here: ${wanted.join(', ')}`,
    {
      pointer: '#/kind',
      location: { file: origin },
      actual: named,
      hint:
        meant === undefined
          ? 'Give the document that this command reads; -h names it'
          : `Did you mean "${meant}"?`,
    },
  )
}
