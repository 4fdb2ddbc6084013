import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toJson, toPrettyJson } from './json.ts'
import { readDocuments } from './read-documents.ts'
import { quickest } from './testing/quickest.ts'
import { thrown } from './testing/thrown.ts'
import { toYaml } from './yaml.ts'

const read = (text: string | Buffer): readonly unknown[] => readDocuments(Buffer.from(text as string), 'file')
const A = { kind: 'A', list: [1, 'two', null, true], text: 'x: {"y"}\n' }
const B = { kind: 'B' }

test.each<[string, string, unknown[]]>([
  ['JSON', toJson(A), [A]],
  ['JSON with a newline', `${toJson(A)}\n`, [A]],
  ['JSON for people', toPrettyJson(A), [A]],
  ['JSON with a byte order mark', `\ufeff${toJson(A)}`, [A]],
  ['JSON after white space', `\r\n\t ${toJson(A)}`, [A]],
  ['a JSON list', toJson([A, B]), [[A, B]]],
  ['NDJSON', `${toJson(A)}\n${toJson(B)}\n`, [A, B]],
  ['NDJSON without a last newline', `${toJson(A)}\n${toJson(B)}`, [A, B]],
  ['NDJSON with CRLF and empty lines', `${toJson(A)}\r\n\r\n${toJson(B)}\r\n`, [A, B]],
  ['JSON back to back', toJson(A) + toJson(B) + toJson(A), [A, B, A]],
  ['JSON for people, one after the other', `${toPrettyJson(A)}\n${toPrettyJson(B)}`, [A, B]],
  ['a JSON text sequence', `\u001e${toJson(A)}\n\u001e${toJson(B)}\n`.slice(1), [A, B]],
  ['JSON with brackets and quotes in strings', '{"a":"}]\\"{["}{"b":"\\\\"}', [{ a: '}]"{[' }, { b: '\\' }]],
  ['YAML', toYaml(A), [A]],
  ['YAML with a byte order mark', `\ufeffkind: B\n`, [B]],
  ['YAML with CRLF', 'kind: B\r\nlist:\r\n- 1\r\n', [{ kind: 'B', list: [1] }]],
  ['YAML with a comment on top', '# {"not": "json"}\nkind: B\n', [B]],
  ['YAML with a document start', '---\nkind: B\n', [B]],
  ['YAML with a document end', 'kind: B\n...\n', [B]],
  ['multi-document YAML', `${toYaml(A)}---\n${toYaml(B)}`, [A, B]],
  ['multi-document YAML with empty documents', '---\n---\nkind: B\n---\n# nothing\n---\n', [B]],
  ['JSON in a YAML stream', `---\n${toJson(A)}\n---\n${toJson(B)}\n`, [A, B]],
  ['a flow mapping of YAML', '{kind: B}\n', [B]],
  ['a flow mapping of YAML over lines', '{\n  kind: B, # why\n}\n', [B]],
  [
    'a flow mapping of YAML with quotes further on',
    '{kind: B, list: ["x", {"y": 1}]}',
    [{ kind: 'B', list: ['x', { y: 1 }] }],
  ],
  ['a flow list of YAML', '[{kind: B}]', [[B]]],
])('readDocuments() reads %s', (_what, text, documents) => {
  expect(read(text)).toEqual(documents)
})

test.each<[string, string | Buffer, string]>([
  ['nothing', '', 'INPUT_EMPTY'],
  ['white space', ' \r\n\t\n', 'INPUT_EMPTY'],
  ['a byte order mark alone', '\ufeff', 'INPUT_EMPTY'],
  ['a comment alone', '# nothing here\n', 'INPUT_EMPTY'],
  ['empty YAML documents', '---\n---\n...\n', 'INPUT_EMPTY'],
  ['an object that is cut', '{"kind":"A","list":[1,2', 'INPUT_SYNTAX'],
  ['an object that is cut in a string', '{"kind":"A', 'INPUT_SYNTAX'],
  ['an object that is cut after its first bracket', '{"', 'INPUT_SYNTAX'],
  ['an object that is cut on a later line', '{\n  "kind": "A",\n  "list": [', 'INPUT_SYNTAX'],
  ['NDJSON that is cut', '{"kind":"A"}\n{"kind":', 'INPUT_SYNTAX'],
  ['JSON with something behind it', '{"kind":"A"} and more', 'INPUT_SYNTAX'],
  ['JSON with a comma too many', '{"kind":"A",}', 'INPUT_SYNTAX'],
  ['JSON with a comment', '{"kind":"A" /* why */}', 'INPUT_SYNTAX'],
  ['JSON with a key that reaches a prototype', '{"a":[{"__proto__":{"x":1}}]}', 'INPUT_SYNTAX'],
  ['JSON with a constructor', '{"constructor":{"prototype":{"x":1}}}', 'INPUT_SYNTAX'],
  ['JSON that is nested too deep', '{"a":'.repeat(65) + '1' + '}'.repeat(65), 'INPUT_SYNTAX'],
  [
    'NDJSON with a line that is nested too deep',
    `{}\n{"a":${'['.repeat(65)}${']'.repeat(65)}}`,
    'INPUT_SYNTAX',
  ],
  ['Latin-1', Buffer.from('name: Z\xfcrich', 'latin1'), 'INPUT_SYNTAX'],
  ['UTF-16 with a byte order mark', Buffer.from('\ufeffkind: B', 'utf16le'), 'INPUT_SYNTAX'],
  ['UTF-16 without one', Buffer.from('{"kind":"B"}', 'utf16le'), 'INPUT_SYNTAX'],
  ['gzip', Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]), 'INPUT_SYNTAX'],
  ['a surrogate in UTF-8', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 'INPUT_SYNTAX'],
  ['an overlong form', Buffer.from([0x22, 0xc0, 0xaf, 0x22]), 'INPUT_SYNTAX'],
  ['NUL', 'kind: "a\0b"', 'INPUT_SYNTAX'],
  ['YAML that is cut', 'kind: "A', 'INPUT_SYNTAX'],
  ['YAML with a tab for indentation', 'a:\n\tb: 1', 'INPUT_SYNTAX'],
])('readDocuments() refuses %s', (_what, bytes, code) => {
  const error = thrown(() => read(bytes))
  expect(error.code).toBe(code)
  expect(error.details.location?.file).toBe('file')
})

test('what cannot be read is named with its line', () => {
  expect(thrown(() => read('{"a":1}\n{"a":2}\n{"a":')).details.location).toEqual({ file: 'file', line: 3 })
  expect(thrown(() => read('a: 1\nb: [\nc: 2\n')).details.location).toMatchObject({ file: 'file', line: 3 })
  expect(thrown(() => read('a: 1\na: 2\n')).details.location).toEqual({ file: 'file', line: 2, column: 1 })
})

test('an empty stdin is told apart from an empty file', () => {
  const hint = (origin: string): unknown => thrown(() => readDocuments(Buffer.alloc(0), origin)).details.hint
  expect(thrown(() => read('')).exit).toBe(66)
  expect(hint('<stdin>')).toMatch(/upstream/)
  expect(hint('file')).not.toMatch(/upstream/)
})

test('more than the limits is refused before it is looked at', () => {
  expect(thrown(() => readDocuments(Buffer.alloc(256 * 1024 * 1024 + 1), 'f'))).toMatchObject({
    code: 'INPUT_TOO_LARGE',
    exit: 65,
  })
  const large = Buffer.alloc(4 * 1024 * 1024 + 1, 'a')
  expect(thrown(() => readDocuments(large, 'f')).code).toBe('INPUT_TOO_LARGE')
  expect(quickest(() => thrown(() => readDocuments(large, 'f')))).toBeLessThan(200)
})

test('JSON may be larger than YAML: a million lines are read', () => {
  const text = Buffer.from('{"digest":"sha256:x","size":1}\n'.repeat(300_000))
  expect(readDocuments(text, 'f')).toHaveLength(300_000)
})

test.each([
  ['brackets', '['.repeat(8_000_000)],
  ['objects', '{"a":'.repeat(1_600_000)],
  ['brackets with white space', '[ \n'.repeat(2_600_000)],
  ['brackets that close, too', '['.repeat(4_000_000) + ']'.repeat(4_000_000)],
])('a JSON bomb of 8 MB of %s is refused at once', (_what, text) => {
  const bytes = Buffer.from(text)
  expect(
    quickest(() => expect(thrown(() => readDocuments(bytes, 'f')).code).toBe('INPUT_SYNTAX')),
  ).toBeLessThan(200)
})

test('JSON texts in any number come out as they went in, however they are joined', () => {
  const key = fc
    .string({ maxLength: 5 })
    .filter((name) => !['__proto__', 'constructor', 'prototype'].includes(name))
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.string({ unit: 'binary' }),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(key, tie('value'), { maxKeys: 3, noNullPrototype: true }),
    ),
  }))
  const documents = fc.array(fc.dictionary(key, value, { noNullPrototype: true }), {
    minLength: 1,
    maxLength: 4,
  })
  const separator = fc.constantFrom('', '\n', '\r\n', ' ', '\n\n')
  fc.assert(
    fc.property(documents, separator, fc.boolean(), (all, between, pretty) => {
      expect(read(all.map((one) => (pretty ? toPrettyJson(one) : toJson(one))).join(between))).toEqual(all)
    }),
    { numRuns: 300 },
  )
})

test('a text of JSON that is cut anywhere is refused, but between two documents', () => {
  const whole = `${toJson(A)}\n${toPrettyJson(B)}\n`
  const ends = [toJson(A).length, toJson(A).length + 1, whole.length - 1, whole.length]
  for (let length = 1; length <= whole.length; length++) {
    const cut = Buffer.from(whole.slice(0, length))
    if (ends.includes(length)) expect(readDocuments(cut, 'f').length).toBe(length < ends[2]! ? 1 : 2)
    else expect([length, thrown(() => readDocuments(cut, 'f')).code]).toEqual([length, 'INPUT_SYNTAX'])
  }
})
