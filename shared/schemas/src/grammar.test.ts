import { posix } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isDigest, isFileName, isHost, isRepository, isSafePath, isTag, safePath } from './grammar.ts'
import { quickest } from './testing/quickest.ts'
import { thrown } from './testing/thrown.ts'

const HEX = '0123456789abcdef'.repeat(4)

test.each([
  [`sha256:${HEX}`, true],
  [`sha256:${HEX.toUpperCase()}`, false],
  [`sha256:${HEX.slice(1)}`, false],
  [`sha256:${HEX}0`, false],
  [`sha512:${HEX}${HEX}`, false],
  [`sha256-${HEX}`, false],
  [` sha256:${HEX}`, false],
  [`sha256:${HEX}\n`, false],
  [`sha256:${HEX.slice(0, -1)}g`, false],
  ['sha256:../../../../etc/passwd', false],
  ['', false],
])('isDigest(%j) is %s', (text, expected) => {
  expect(isDigest(text)).toBe(expected)
})

test.each([
  ['a', true],
  ['app', true],
  ['team/app', true],
  ['a/b/c/d/e/f/g/h', true],
  ['a.b', true],
  ['a_b', true],
  ['a__b', true],
  ['a-b', true],
  ['a---b', true],
  ['0/1', true],
  ['x'.repeat(255), true],
  ['x'.repeat(256), false],
  ['', false],
  ['/a', false],
  ['a/', false],
  ['a//b', false],
  ['A', false],
  ['team/App', false],
  ['a..b', false],
  ['a___b', false],
  ['a.-b', false],
  ['-a', false],
  ['a-', false],
  ['_a', false],
  ['a_', false],
  ['.a', false],
  ['..', false],
  ['../a', false],
  ['a/../b', false],
  ['a:b', false],
  ['a@b', false],
  ['a b', false],
  ['a\n', false],
  ['ä', false],
  ['a%2fb', false],
])('isRepository(%j) is %s', (text, expected) => {
  expect(isRepository(text)).toBe(expected)
})

test.each([
  ['v1', true],
  ['1.10', true],
  ['_', true],
  ['A-b.C_d', true],
  ['x'.repeat(128), true],
  ['x'.repeat(129), false],
  ['', false],
  ['.a', false],
  ['-a', false],
  ['a/b', false],
  ['a:b', false],
  ['a+b', false],
  ['a b', false],
  ['a\n', false],
  ['é', false],
])('isTag(%j) is %s', (text, expected) => {
  expect(isTag(text)).toBe(expected)
})

test.each([
  ['registry.example', true],
  ['registry.example:5000', true],
  ['REGISTRY.Example:5000', true],
  ['localhost', true],
  ['a', true],
  ['a-b.c-d.example:1', true],
  ['xn--nxasmq6b.example', true],
  ['10.0.0.1', true],
  ['10.0.0.1:65535', true],
  ['[::1]', true],
  ['[2001:db8::1]:5000', true],
  ['[::ffff:10.0.0.1]', true],
  ['', false],
  ['registry.example:', false],
  ['registry.example:0', false],
  ['registry.example:05000', false],
  ['registry.example:65536', false],
  ['registry.example:99999', false],
  ['registry.example:x', false],
  ['registry.example/', false],
  ['user@registry.example', false],
  ['registry..example', false],
  ['.example', false],
  ['registry.example.', false],
  ['-a.example', false],
  ['a-.example', false],
  ['a_b.example', false],
  ['a b', false],
  ['a\n', false],
  [`${'x'.repeat(64)}.example`, false],
  ['x.'.repeat(150) + 'x', false],
  ['::1', false],
  ['[::1', false],
  ['[]', false],
  ['[:::]', false],
  ['[1:2]', false],
  ['[fe80::1%25eth0]', false],
  ['300.1.1.1', false],
  ['127.1', false],
  ['2130706433', false],
  ['0x7f.0.0.1', false],
  ['0177.0.0.1', false],
  ['registry.example#', false],
  ['registry.example?x', false],
  ['régistry.example', false],
])('isHost(%j) is %s', (text, expected) => {
  expect(isHost(text)).toBe(expected)
})

test.each([
  ['a', true],
  ['a/b', true],
  ['.carryall/head.json', true],
  ['...', true],
  ['a/..b', true],
  ['with space', true],
  ['ünïcode/日本', true],
  ['-rf', true],
  ['x'.repeat(255), true],
  ['', false],
  ['/', false],
  ['/a', false],
  ['a/', false],
  ['a//b', false],
  ['.', false],
  ['..', false],
  ['./a', false],
  ['../a', false],
  ['a/.', false],
  ['a/..', false],
  ['a/../b', false],
  ['a\\b', false],
  ['..\\a', false],
  ['a\0b', false],
  ['a\nb', false],
  ['a\u001bb', false],
  ['a\u007f', false],
  ['a\u009bb', false],
  ['a\ud800', false],
  ['x'.repeat(256), false],
  ['ü'.repeat(128), false],
  [`${'x/'.repeat(2048)}x`, false],
])('isSafePath(%j) is %s', (path, expected) => {
  expect(isSafePath(path)).toBe(expected)
})

test('a file name is a safe path of one part', () => {
  expect(isFileName('mirror_000001.tar')).toBe(true)
  for (const name of ['a/b', '..', '', '/a', 'a\\b']) expect(isFileName(name)).toBe(false)
})

test('safePath() gives back what is safe and refuses the rest', () => {
  expect(safePath('a/b', 'here')).toBe('a/b')
  expect(thrown(() => safePath('../a', 'here'))).toMatchObject({
    code: 'PATH_UNSAFE',
    exit: 65,
    details: { subject: { kind: 'file', name: '../a' } },
  })
  expect(thrown(() => safePath('../'.repeat(10_000), 'here')).message.length).toBeLessThan(300)
})

test('a safe path stays where it is put, whatever is in it', () => {
  const part = fc.oneof(
    fc.constantFrom('.', '..', '', 'a', '...', '~', '-', '\\', '\0', 'C:'),
    fc.string({ maxLength: 6, unit: 'binary' }),
  )
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
      const path = parts.join('/')
      if (!isSafePath(path)) return
      expect(posix.normalize(path)).toBe(path)
      expect(posix.resolve('/root/of/it', path)).toBe(`/root/of/it/${path}`)
      expect(Buffer.from(path).toString()).toBe(path)
    }),
    { numRuns: 3000 },
  )
})

test('a repository, a tag and a host are safe in a URL as they are', () => {
  const near = fc.stringMatching(/^[a-z0-9._/:@%?#[\]-]{1,12}$/)
  fc.assert(
    fc.property(near, (text) => {
      if (isRepository(text)) expect(new URL(`http://h/v2/${text}/x`).pathname).toBe(`/v2/${text}/x`)
      if (isTag(text))
        expect(new URL(`http://h/v2/a/manifests/${text}`).pathname).toBe(`/v2/a/manifests/${text}`)
      if (isHost(text))
        expect(new URL(`http://${text}/v2/`)).toMatchObject({ pathname: '/v2/', username: '', search: '' })
    }),
    { numRuns: 5000 },
  )
})

test('every name that is put together by the grammar is accepted', () => {
  const word = fc.stringMatching(/^[a-z0-9]{1,5}$/)
  const separator = fc.constantFrom('.', '_', '__', '-', '--', '/')
  const repository = fc
    .tuple(word, fc.array(fc.tuple(separator, word), { maxLength: 8 }))
    .map(([first, rest]) => first + rest.flat().join(''))
  fc.assert(
    fc.property(repository, (name) => {
      expect(isRepository(name)).toBe(true)
    }),
  )
  fc.assert(
    fc.property(fc.stringMatching(/^\w[\w.-]{0,127}$/), (tag) => {
      expect(isTag(tag)).toBe(true)
    }),
  )
  fc.assert(
    fc.property(fc.domain(), fc.integer({ min: 1, max: 65535 }), (host, port) => {
      expect(isHost(host)).toBe(true)
      expect(isHost(`${host}:${port}`)).toBe(true)
    }),
  )
  fc.assert(
    fc.property(fc.ipV6(), (address) => {
      expect(isHost(`[${address}]:5000`)).toBe(true)
    }),
  )
})

test('no grammar takes long over a long text', () => {
  const hostile = ['a', 'a-', 'a.', 'a_', 'a__', '-', 'a/', '1.', '[:', 'a:1'].map((piece) =>
    piece.repeat(100_000),
  )
  for (const text of [...hostile, ...hostile.map((one) => `${one}!`)]) {
    expect(
      quickest(() => [isDigest, isRepository, isTag, isHost, isSafePath].map((is) => is(text))),
    ).toBeLessThan(100)
  }
})
