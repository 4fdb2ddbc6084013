import fc from 'fast-check'
import { CORE_SCHEMA, load, YAML11_SCHEMA } from 'js-yaml'
import { expect, test } from 'vitest'
import { quickest } from './testing/quickest.ts'
import { thrown } from './testing/thrown.ts'
import { parseYaml, toYaml } from './yaml.ts'

const REFUSED: readonly (readonly [what: string, text: string])[] = [
  ['an anchor', 'a: &x 1'],
  ['an anchor on a mapping', 'a: &x\n  b: 1'],
  ['an anchor on a key', '&x a: 1'],
  ['an alias', 'a: &x 1\nb: *x'],
  ['an alias without an anchor', 'b: *x'],
  ['an alias as a key', '*x : 1'],
  ['a tag', 'a: !!str 1'],
  ['a local tag', 'a: !local 1'],
  ['a verbatim tag', 'a: !<tag:yaml.org,2002:str> 1'],
  ['the tag that says: no tag', 'a: ! 1'],
  ['a tag on a list', 'a: !!seq [1]'],
  ['a binary', 'a: !!binary aGVsbG8='],
  ['a set', 'a: !!set {x, y}'],
  ['a tag of JavaScript', 'a: !!js/function "function () {}"'],
  ['a tag by a directive', '%TAG !e! tag:example,2024:\n---\na: !e!x 1'],
  ['a merge key', 'a: {x: 1}\nb:\n  <<: {y: 2}'],
  ['a merge key in quotes', 'b:\n  "<<": {y: 2}'],
  ['a merge key of a list', 'b:\n  <<: [{y: 2}, {z: 3}]'],
  ['a key twice', 'a: 1\nb: 2\na: 3'],
  ['a key twice in a flow mapping', '{a: 1, a: 2}'],
  ['a key twice in two spellings', 'a: 1\n"\\x61": 2'],
  ['a number and a text as one key', '1: x\n"1": y'],
  ['null twice', 'null: 1\n~: 2'],
  ['a list as a key', '[a]: 1'],
  ['a mapping as a key', '? {a: 1}\n: 2'],
  ['__proto__', '__proto__:\n  polluted: true'],
  ['__proto__ in quotes', '"__proto__": {polluted: true}'],
  ['__proto__ by escapes', '"\\x5f_proto__": {polluted: true}'],
  ['__proto__ further down', 'a:\n  - b:\n      __proto__: {polluted: true}'],
  ['constructor', 'constructor: {prototype: {polluted: true}}'],
  ['prototype', 'a: {prototype: 1}'],
  ['depth of block mappings', Array.from({ length: 30 }, (_, level) => `${' '.repeat(level)}a:`).join('\n')],
  ['depth of block lists', `${'- '.repeat(30)}x`],
  ['depth of flow lists', `x: ${'['.repeat(30)}${']'.repeat(30)}`],
  ['depth of flow mappings', `${'{a: '.repeat(30)}1${'}'.repeat(30)}`],
  ['NUL', 'a: b\0c'],
  ['a control character', 'a: b\u001bc'],
  ['a lone surrogate', 'a: \ud800'],
  ['text after a document', 'a: 1\n]'],
]

test.each(REFUSED)('parseYaml() refuses %s', (_what, text) => {
  expect(thrown(() => parseYaml(text, 'f'))).toMatchObject({
    code: 'INPUT_SYNTAX',
    details: { location: { file: 'f' } },
  })
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
})

const MB = 1024 * 1024
const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n')
const laughs = lines(
  12,
  (i) => `a${i}: &a${i} [${i === 0 ? 'lol' : Array.from({ length: 9 }, () => `*a${i - 1}`).join(', ')}]`,
)

test.each<[string, string]>([
  ['a billion laughs', laughs],
  [
    'a quadratic blow-up',
    `a: &a ${'x'.repeat(100_000)}\nb: [${Array.from({ length: 50_000 }, () => '*a').join(', ')}]`,
  ],
  [
    'merge keys by the thousand',
    `${lines(5000, (i) => `a${i}: &a${i} {${i === 0 ? 'k: 1' : `<<: *a${i - 1}, k${i}: 1`}}`)}`,
  ],
  ['merge keys without aliases', `a:\n${lines(50_000, (i) => `  - <<: {k${i}: 1}`)}`],
  ['a flow list of a million', `[${'a,'.repeat(MB / 2)}a]`],
  ['four megabytes of a flow list', `[${'a,'.repeat(2 * MB - 10)}a]`],
  ['flow pairs', `[${'a: b, '.repeat(MB / 6)}]`],
  ['flow lists in a flow list', `[${'[], '.repeat(MB / 4)}]`],
  ['block lists of nothing', '-\n'.repeat(2 * MB - 10)],
  ['block mappings', lines(MB / 4, (i) => `k${i}:`)],
  ['lists in lists', '- - - -\n'.repeat(MB / 2)],
  ['documents', '---\n'.repeat(MB - 10)],
  ['document ends', '...\n'.repeat(MB - 10)],
  ['open brackets', '['.repeat(4 * MB - 10)],
  ['open braces', '{'.repeat(4 * MB - 10)],
  ['question marks', '? '.repeat(2 * MB - 10)],
  ['deep block mappings', lines(2500, (level) => `${' '.repeat(level)}a:`)],
  ['anchors', lines(60_000, (i) => `- &a${i} x`)],
  ['tags', lines(60_000, () => '- !!str x')],
  ['directives', '%A\n'.repeat(MB)],
  ['carriage returns', `a: [\r${'b,\r'.repeat(MB)}`],
])('a bomb is refused within 200 ms: %s', (_what, text) => {
  expect(text.length).toBeLessThanOrEqual(4 * MB)
  expect(quickest(() => expect(thrown(() => parseYaml(text, 'f')).code).toBe('INPUT_SYNTAX'))).toBeLessThan(
    200,
  )
})

test('what people write is read, also where there is much of it', () => {
  const images = lines(
    15_000,
    (i) =>
      `    - name: registry.example:5000/team-${i}/app-${i}:v1.2.${i}\n      targetTag: "1.${i}" # [a, b], {c: d}`,
  )
  const [document] = parseYaml(`mirror:\n  additionalImages:\n${images}`, 'f') as {
    mirror: { additionalImages: unknown[] }
  }[]
  expect(document!.mirror.additionalImages).toHaveLength(15_000)
  expect(document!.mirror.additionalImages[14_999]).toEqual({
    name: 'registry.example:5000/team-14999/app-14999:v1.2.14999',
    targetTag: '1.14999',
  })
})

test.each<[string, unknown]>([
  ['a: yes', { a: 'yes' }],
  ['a: no', { a: 'no' }],
  ['a: on', { a: 'on' }],
  ['a: true', { a: true }],
  ['a: 2024-08-18', { a: '2024-08-18' }],
  ['a: 2024-08-18T14:30:00Z', { a: '2024-08-18T14:30:00Z' }],
  ['a: 12:30:45', { a: '12:30:45' }],
  ['a: 1_000', { a: '1_000' }],
  ['a: 1.10', { a: 1.1 }],
  ['a: "1.10"', { a: '1.10' }],
  ["a: '1.10'", { a: '1.10' }],
  ['a: 4.16.8', { a: '4.16.8' }],
  ['a: 0x1f', { a: 31 }],
  ['a: 0o17', { a: 15 }],
  ['a: ~', { a: null }],
  ['a:', { a: null }],
  ['a: |\n  x\n  y\n', { a: 'x\ny\n' }],
  ['a: >-\n  x\n  y\n', { a: 'x y' }],
  ['a: x # why', { a: 'x' }],
  ['a: x#y', { a: 'x#y' }],
  ['a: registry.example:5000/app:v1', { a: 'registry.example:5000/app:v1' }],
  ['? a\n: b', { a: 'b' }],
  ['%YAML 1.2\n---\na: 1', { a: 1 }],
  ['a: "*x &y !z"', { a: '*x &y !z' }],
  ['a: b<<c', { a: 'b<<c' }],
  ['- a\n-\n  - b', ['a', ['b']]],
])('parseYaml(%j)', (text, value) => {
  expect(parseYaml(text, 'f')).toEqual([value])
})

// What a reader by YAML 1.1 (Ansible, PyYAML) or 1.2 would not take for text if it stood there without quotes.
const TRICKY = [
  'yes',
  'Yes',
  'YES',
  'no',
  'on',
  'off',
  'y',
  'n',
  'Y',
  'N',
  'true',
  'false',
  'True',
  'null',
  'Null',
  '~',
  '',
  '1',
  '-1',
  '+1',
  '0',
  '007',
  '017',
  '0o17',
  '0x1f',
  '0b101',
  '1_000',
  '0x_1',
  '12:30:45',
  '1:30',
  '190:20:30.15',
  '1.10',
  '4.16',
  '1.',
  '.5',
  '1e3',
  '1.5e+3',
  '.inf',
  '-.INF',
  '.nan',
  '1_000.5',
  '685_230.15',
  '2024-08-18',
  '2024-08-18T14:30:00Z',
  '2024-08-18 14:30:00',
  '2001-1-1',
  '20240818',
  '=',
  '<<',
  '-',
  '- a',
  '? a',
  ': a',
  'a: b',
  'a #b',
  '#a',
  '&a',
  '*a',
  '!a',
  '|',
  '>',
  '%a',
  '@a',
  '`a',
  '{a',
  '}',
  '[a',
  ']',
  ',',
  '"',
  "'",
  "it's",
  '\\',
  ' a',
  'a ',
  '\t',
  'a\tb',
  'a\nb',
  'a\n',
  '\na',
  'a\r\nb',
  '---',
  '...',
  '--- a',
  'a:',
  ':a',
  'a,b',
  '\u0085',
  '\u2028',
  '\u2029',
  '\ufeff',
  '\u00a0',
  '\u001b[31m',
  '\u007f',
  '🚢',
  'sha256:abc',
  'registry.example:5000/app:1.10',
  'x'.repeat(500),
  'word '.repeat(100).trim(),
]

test.each(TRICKY)('toYaml() writes the text %j so that readers of YAML 1.1 and 1.2 find it again', (text) => {
  const document = { kind: 'A', value: text, list: [text, { inner: text }], [text]: 1 }
  const written = toYaml(document)
  expect(load(written, { schema: YAML11_SCHEMA })).toEqual(document)
  expect(load(written, { schema: CORE_SCHEMA })).toEqual(document)
  if (text !== '<<') expect(parseYaml(written, 'f')).toEqual([document])
})

test('toYaml() writes one line a value, keys in their order, LF, no anchors', () => {
  const shared = { z: 1, a: 2 }
  const text = toYaml({
    b: shared,
    a: shared,
    long: 'word '.repeat(60).trim(),
    list: [],
    map: {},
    nested: [[1], { x: [shared] }],
  })
  expect(text).toBe(`b:
  z: 1
  a: 2
a:
  z: 1
  a: 2
long: ${'word '.repeat(60).trim()}
list: []
map: {}
nested:
  - - 1
  - x:
      - z: 1
        a: 2
`)
})

test('toYaml() leaves out what is undefined and writes the same bytes each time', () => {
  const document = { a: undefined, b: 1, c: { d: undefined } }
  expect(toYaml(document)).toBe('b: 1\nc: {}\n')
  expect(toYaml(document)).toBe(toYaml(structuredClone(document)))
})

test('any document is found again by readers of YAML 1.1 and 1.2', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.constantFrom(...TRICKY),
    fc.stringMatching(/^[0-9_:.eExXbo+-]{1,8}$/),
  )
  const key = text.filter((name) => !['__proto__', 'constructor', 'prototype', '<<'].includes(name))
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      text,
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(key, tie('value'), { maxKeys: 3, noNullPrototype: true }),
    ),
  }))
  fc.assert(
    fc.property(fc.dictionary(key, value, { minKeys: 1, maxKeys: 4, noNullPrototype: true }), (document) => {
      const written = toYaml(document)
      expect(written).not.toMatch(/\r/)
      expect(parseYaml(written, 'f')).toEqual([document])
      expect(load(written, { schema: YAML11_SCHEMA })).toEqual(document)
    }),
    { numRuns: 1000 },
  )
})
