import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { jsonSchema } from './json-schema.ts'
import { toJson } from './json.ts'
import { KINDS } from './kinds.ts'
import { parseDocument } from './parse-document.ts'
import { readDocuments } from './read-documents.ts'
import { thrown } from './testing/thrown.ts'
import { toYaml } from './yaml.ts'

const FOLDER = join(import.meta.dirname, '../fixtures')
const FILES = readdirSync(FOLDER)
/** Kinds without an object in them that knows its keys. */
const FLAT = ['Image', 'Listing', 'Settings']

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: boolean | Schema
  readonly items?: Schema
  readonly anyOf?: readonly Schema[]
}

type Json = null | string | number | boolean | readonly Json[] | { readonly [key: string]: Json }

function read(name: string): Json {
  const file = FILES.find((one) => one === `${name}.json` || one === `${name}.yaml`)
  expect(file).toBeDefined()
  const documents = readDocuments(readFileSync(join(FOLDER, file!)), file!)
  expect(documents).toHaveLength(1)
  return documents[0] as Json
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

/** Places of keys that the published schema does not know: its `additionalProperties`, and nothing else, applied to a value. */
function unknownKeys(schema: Schema, value: Json, at = '#'): readonly string[] {
  const branches = schema.anyOf?.map((branch) => unknownKeys(branch, value, at)) ?? []
  const least = branches.toSorted((a, b) => a.length - b.length)[0] ?? []
  if (Array.isArray(value))
    return [...least, ...value.flatMap((item, i) => unknownKeys(schema.items ?? {}, item, `${at}/${i}`))]
  if (!isObject(value)) return least
  const { properties, additionalProperties } = schema
  return Object.entries(value).reduce<readonly string[]>((found, [key, item]) => {
    const inner =
      properties?.[key] ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined)
    if (inner !== undefined) return [...found, ...unknownKeys(inner, item, `${at}/${key}`)]
    return properties === undefined ? found : [...found, `${at}/${key}`]
  }, least)
}

/** The value once for each object in it, with one key more there; what may have any keys is left alone. */
function* withOneKeyMore(schema: Schema, value: Json): Iterable<Json> {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries())
      for (const changed of withOneKeyMore(schema.items ?? {}, item)) yield value.with(index, changed)
    return
  }
  if (!isObject(value)) return
  if (schema.properties !== undefined || schema.anyOf !== undefined) yield { ...value, xyzzy: 1 }
  for (const [key, item] of Object.entries(value)) {
    const any = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : {}
    for (const changed of withOneKeyMore(schema.properties?.[key] ?? any, item))
      yield { ...value, [key]: changed }
  }
}

test('there is a document of every kind, one with a key too many, and nothing else', () => {
  const names = Object.keys(KINDS).flatMap((kind) => [`${kind}.v1`, `${kind}.v1-extra`])
  expect(FILES.map((file) => file.replace(/\.(json|yaml)$/, '')).toSorted()).toEqual(names.toSorted())
})

test.each(Object.keys(KINDS))(
  'a %s of the first version is read for ever, with all that is in it',
  (kind) => {
    const document = read(`${kind}.v1`)
    const parsed = parseDocument(document, 'file')
    expect(parsed).toEqual(document)
    expect(unknownKeys(jsonSchema(kind) as Schema, document)).toEqual([])
  },
)

test.each(Object.keys(KINDS))('a %s is the same in JSON and in YAML', (kind) => {
  const parsed = parseDocument(read(`${kind}.v1`), 'file')
  for (const text of [toJson(parsed), toYaml(parsed)]) {
    const [again] = readDocuments(Buffer.from(text), 'file')
    expect(parseDocument(again, 'file')).toEqual(parsed)
  }
})

test.each(Object.values(KINDS))(
  'a $kind with unknown keys is read or refused by who writes it',
  ({ kind, writtenBy }) => {
    const extra = read(`${kind}.v1-extra`)
    const places = unknownKeys(jsonSchema(kind) as Schema, extra)
    expect(places.length).toBeGreaterThan(0)
    if (writtenBy === 'tools') expect(parseDocument(extra, 'file')).toEqual(read(`${kind}.v1`))
    else
      expect(thrown(() => parseDocument(extra, 'file'))).toMatchObject({
        code: 'SCHEMA_UNKNOWN_KEY',
        details: { pointer: places[0] },
      })
  },
)

test.each(Object.values(KINDS))(
  'a $kind with one unknown key, wherever it is, is read or refused by who writes it',
  ({ kind, writtenBy }) => {
    const schema = jsonSchema(kind) as Schema
    const document = read(`${kind}.v1`)
    const changed = [...withOneKeyMore(schema, document)]
    expect(changed.length).toBeGreaterThan(FLAT.includes(kind) ? 0 : 3)
    for (const one of changed) {
      const [place] = unknownKeys(schema, one)
      expect(place).toMatch(/\/xyzzy$/)
      if (writtenBy === 'tools') expect(parseDocument(one, 'file')).toEqual(document)
      else
        expect(thrown(() => parseDocument(one, 'file'))).toMatchObject({
          code: 'SCHEMA_UNKNOWN_KEY',
          details: { pointer: place },
        })
    }
  },
)

test('the Sequence is written with its keys in the order of the schema', () => {
  const document = read('Sequence.v1') as Record<string, Json>
  const order = Object.keys((jsonSchema('Sequence') as Schema).properties!)
  expect(Object.keys(document)).toEqual(order.filter((key) => key in document))
  const parsed = parseDocument(document, 'file')
  expect(toYaml(parsed)).toBe(readFileSync(join(FOLDER, 'Sequence.v1.yaml'), 'utf8'))
})
