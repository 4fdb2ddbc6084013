import fc from 'fast-check'
import { expect, test } from 'vitest'
import { redact, registerSecret } from './redact.ts'
import { secretForms } from './secret-forms.ts'

const SECRET = 'Canary/p+ss w"rd~1'
registerSecret(SECRET)

// The last column: how many characters around the secret stay.
test.each([
  ['as it is', SECRET, 0],
  ['in base64', Buffer.from(SECRET).toString('base64'), 0],
  ['in base64 without padding', Buffer.from(SECRET).toString('base64').replaceAll('=', ''), 0],
  ['in base64url', Buffer.from(SECRET).toString('base64url'), 0],
  ['after a user name, in base64', Buffer.from(`robot:${SECRET}`).toString('base64'), 10],
  ['after a user name one longer, in base64', Buffer.from(`robot1:${SECRET}`).toString('base64'), 14],
  ['after a user name two longer, in base64', Buffer.from(`robot12:${SECRET}`).toString('base64'), 14],
  ['in the middle of base64url', Buffer.from(`{"p":${SECRET},"u":1}`).toString('base64url'), 20],
  ['URL-encoded', encodeURIComponent(SECRET), 0],
  ['URL-encoded in lower case', encodeURIComponent(SECRET).replaceAll(/%../g, (x) => x.toLowerCase()), 0],
  ['as a form', new URLSearchParams({ x: SECRET }).toString().slice(2), 0],
  ['in JSON', JSON.stringify({ x: SECRET }), 8],
])('redact() masks a registered secret %s', (_how, spelling, around) => {
  const shown = redact(`before ${spelling} after`)
  expect(shown).toMatch(/^before .*\*\*\*.* after$/)
  expect(shown.length - 'before *** after'.length).toBeLessThanOrEqual(around)
})

test('redact() masks all of a secret that holds another one', () => {
  registerSecret('opensesame')
  registerSecret('opensesame-and-more-of-it')
  registerSecret('sesame')
  expect(redact('say opensesame-and-more-of-it')).toBe('say ***')
})

test('what is too short to be a secret is not one', () => {
  registerSecret('abc')
  registerSecret('')
  expect(redact('abc')).toBe('abc')
})

test('redact() masks any registered secret in any text, also inside base64', () => {
  const secret = fc
    .string({ minLength: 8, maxLength: 40, unit: 'grapheme-ascii' })
    .filter((text) => text.trim() === text)
  fc.assert(
    fc.property(
      secret,
      fc.string({ maxLength: 12 }),
      fc.string({ maxLength: 12 }),
      (value, before, after) => {
        registerSecret(value)
        expect(redact(`${before} ${value} ${after}`)).not.toContain(value)
        const encoded = Buffer.from(`${before}${value}${after}`).toString('base64')
        expect(redact(encoded)).toContain('***')
      },
    ),
    { numRuns: 200 },
  )
})

test('a token that nobody encodes again has one form only', () => {
  expect(secretForms('t'.repeat(2000))).toHaveLength(1)
})

test.each([
  ['https://robot:hunter22@registry.example/v2/', 'https://***@registry.example/v2/'],
  ['https://robot@registry.example/v2/', 'https://***@registry.example/v2/'],
  ['https://robot:p@ss@registry.example/', 'https://***@registry.example/'],
  [
    'docker://robot:hunter22@registry.example:5000/app@sha256:12',
    'docker://***@registry.example:5000/app@sha256:12',
  ],
  [
    'http://a:hunter22@proxy.example:3128 and http://b:hunter33@b.example',
    'http://***@proxy.example:3128 and http://***@b.example',
  ],
  ['robot:hunter22@registry.example/app', 'robot:***@registry.example/app'],
  ['https://s.example/blob?X-Amz-Signature=0123abc&x=1', 'https://s.example/blob?X-Amz-Signature=***&x=1'],
  ['GET /token?service=s&token=0123abc', 'GET /token?service=s&token=***'],
  [
    '?password=a&refresh_token=b&access_token=c&sig=d',
    '?password=***&refresh_token=***&access_token=***&sig=***',
  ],
  ['Authorization: Basic cm9ib3Q6eA==', 'Authorization: Basic ***'],
  ['authorization: Bearer abcdefgh', 'authorization: Bearer ***'],
  ['authorization=deadbeef', 'authorization=***'],
  ['sent Bearer eyJhbGciOiJFUzI1NiJ9.e30.c2ln', 'sent Bearer ***'],
  ['basic cm9ib3Q6aHVudGVyMjI=', 'basic ***'],
  ['{"auths":{"r.example":{"auth":"cm9ib3Q6eA=="}}}', '{"auths":{"r.example":{"auth":"***"}}}'],
  ['{"access_token": "a\\"b", "expires_in": 60}', '{"access_token": "***", "expires_in": 60}'],
])('redact() turns %j into %j', (text, shown) => {
  expect(redact(text)).toBe(shown)
})

test.each([
  'docker://registry.example:5000/team/app:v1@sha256:0123',
  'docker://busybox@sha256:0123',
  'registry.example/app:v1@sha256:0123',
  'app:v1@sha256:0123',
  'https://registry.example/v2/app/blobs/sha256:0123?digest=sha256:0123',
  'basic authentication failed',
  'Bearer authentication is wanted',
  'Cannot read content/seq1-baseline/seq-metadata.yaml: no such file or directory (ENOENT)',
  'write to operator@registry.example',
  '{"author": "someone", "authority": "x"}',
])('redact() leaves %j as it is', (text) => {
  expect(redact(text)).toBe(text)
})

test('redact() has nothing to do a second time', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 80 }), (text) => {
      expect(redact(redact(text))).toBe(redact(text))
    }),
  )
})

test.each([
  ['://', 'a://'],
  ['user parts', 'https://a:'],
  ['at signs', '@'],
  ['colons', 'a:'],
  ['authorizations', 'authorization: '],
  ['bearers', 'bearer '],
  ['spaces', 'authorization' + ' '.repeat(100)],
  ['quoted keys', '"auth": "\\'],
  ['tokens', 'bearer aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'],
  ['queries', '?token='],
])('redact() takes no longer than the text is long: %s', (_what, piece) => {
  const text = piece.repeat(Math.ceil(200_000 / piece.length))
  const start = process.threadCpuUsage()
  redact(text)
  expect(process.threadCpuUsage(start).user).toBeLessThan(1_000_000)
})
