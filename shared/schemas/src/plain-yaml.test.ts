import fc from 'fast-check'
import { expect, test } from 'vitest'
import { plainYaml } from './plain-yaml.ts'
import { toYaml } from './yaml.ts'
import { readDocuments } from './read-documents.ts'

const hex = fc.stringMatching(/^[0-9a-f]{64}$/)
const text = fc.oneof(
  hex,
  hex.map((one) => `sha256:${one}`),
  fc.uuid(),
  fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }).map((one) => one.toISOString()),
  fc.stringMatching(/^[A-Za-z0-9_.:/+-]{0,8}$/),
  fc.stringMatching(/^[0-9.eE_:+xob-]{1,6}$/),
  fc.stringMatching(/^[A-Za-z0-9.:-]{1,5}( [a-z0-9:#-]{1,4}){0,2}$/),
  fc.stringMatching(/^[0-9]{8}-[0-9]{4}$/),
  fc.stringMatching(/^[0-9]{1,4}(\.[0-9]{1,3}){0,3}(-[0-9A-Za-z.-]{0,4}|[kMGT]?)$/),
  fc.constantFrom(
    'yes',
    'No',
    'null',
    '~',
    'TRUE',
    '.inf',
    '1e3',
    '0x1f',
    '0o7',
    '1_000',
    '12:30',
    'a: b',
    'a #b',
    '- a',
  ),
  fc.string(),
)
const value = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    text,
    fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.double(), fc.boolean(), fc.constant(null)),
    fc.array(tie('node'), { maxLength: 4 }),
    fc.dictionary(
      fc.oneof(
        fc.stringMatching(/^[a-z][A-Za-z0-9_]{0,6}$/),
        fc.constantFrom('constructor', 'y', 'null'),
        fc.string({ maxLength: 4 }),
      ),
      tie('node'),
      {
        maxKeys: 5,
        noNullPrototype: true,
      },
    ),
  ),
})).node

test('a text that is printed plainly is what the printer prints, and is read as the same value', () => {
  let plain = 0
  fc.assert(
    fc.property(value, (one) => {
      const document = { kind: 'Sample', one }
      const printed = plainYaml(document)
      if (printed === undefined) return
      plain++
      expect(printed).toBe(toYaml(document))
      expect(readDocuments(Buffer.from(printed), 'x')).toEqual([document])
    }),
    { numRuns: 3000 },
  )
  expect(plain).toBeGreaterThan(300)
})

test('what people and programs may read as something else is not printed plainly', () => {
  for (const one of [
    '',
    'yes',
    'a: b',
    '~',
    '.inf',
    '1e3',
    '0x1f',
    '12:30',
    '-1',
    'é',
    'a\nb',
    null,
    0.5,
    -0,
    [[1]],
  ])
    expect(plainYaml({ one })).toBeUndefined()
  expect(plainYaml([])).toBeUndefined()
  expect(plainYaml({})).toBeUndefined()
  expect(plainYaml({ 'a b': 1 })).toBeUndefined()
})
