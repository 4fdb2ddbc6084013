import { expect, test } from 'vitest'
import { jsonSchema } from './json-schema.ts'
import { KINDS } from './kinds.ts'

interface Schema {
  readonly type?: unknown
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: unknown
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
}

const kinds = Object.values(KINDS)

/** Every schema inside `schema`, with its place. */
function* parts(schema: Schema, at = '#'): Iterable<readonly [string, Schema]> {
  yield [at, schema]
  for (const [key, inner] of Object.entries(schema.properties ?? {})) yield* parts(inner, `${at}/${key}`)
  if (schema.items !== undefined) yield* parts(schema.items, `${at}/-`)
  if (typeof schema.additionalProperties === 'object')
    yield* parts(schema.additionalProperties as Schema, `${at}/*`)
  for (const [index, inner] of (schema.anyOf ?? []).entries()) yield* parts(inner, `${at}|${index}`)
}

test.each(kinds)('$kind is published as strict as it is read, at every level', ({ kind, writtenBy }) => {
  const objects = [...parts(jsonSchema(kind) as Schema)].filter(([, part]) => part.properties !== undefined)
  expect(objects.length).toBeGreaterThan(0)
  for (const [at, { additionalProperties }] of objects) {
    if (writtenBy === 'people') expect([at, additionalProperties]).toEqual([at, false])
    else expect([at, additionalProperties === false]).toEqual([at, false])
  }
})

test.each(kinds)('$kind says of every key what it is', ({ kind }) => {
  const schema = jsonSchema(kind) as Schema
  expect(schema.description).toMatch(/^[A-Z].*\.$/)
  for (const [at, part] of parts(schema)) {
    for (const [key, inner] of Object.entries(part.properties ?? {})) {
      expect([at, key, inner.description]).toEqual([at, key, expect.stringMatching(/^[^.]{4,}(\..*[^.])?$/)])
    }
  }
})

test.each(kinds)('$kind has its two keys on top, and says which', ({ kind, apiVersions }) => {
  expect(jsonSchema(kind)).toMatchObject({
    title: kind,
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: {
      kind: { const: kind },
      apiVersion: apiVersions.length === 1 ? { const: apiVersions[0] } : { enum: apiVersions },
    },
    required: expect.arrayContaining(['apiVersion', 'kind']),
  })
})

test('every kind that tools write can name what a reader must know', () => {
  for (const { kind, writtenBy } of kinds) {
    const { properties } = jsonSchema(kind) as Schema
    expect([kind, 'critical' in properties!]).toEqual([kind, writtenBy === 'tools'])
  }
})

test.each(['Sequnce', 'constructor', '__proto__', 'toString', ''])('there is no schema of %j', (kind) => {
  expect(jsonSchema(kind)).toBeUndefined()
})
