import { expect, test } from 'vitest'
import { CarryallError } from './carryall-error.ts'
import { errorObject } from './error-object.ts'
import { registerSecret } from './redact.ts'

test('errorObject() has what the error has, and no key that it has not', () => {
  expect(errorObject(new CarryallError('SEQ_GAP', 'Cannot apply seq4'))).toEqual({
    code: 'SEQ_GAP',
    exit: 81,
    message: 'Cannot apply seq4',
    retryable: false,
  })
  const error = new CarryallError('NET_RATE_LIMITED', 'Cannot fetch a blob', {
    hint: 'Wait',
    subject: { kind: 'blob', name: 'app', digest: 'sha256:12' },
    pointer: '#/a/0',
    location: { file: 'c.yaml', line: 3, column: 1, offset: 40 },
    expected: 'x',
    actual: 7,
    retryable: true,
    retryAfterMs: 1500,
    cause: new TypeError('underneath', { cause: 'and below' }),
  })
  expect(errorObject(error)).toEqual({
    code: 'NET_RATE_LIMITED',
    exit: 75,
    message: 'Cannot fetch a blob',
    hint: 'Wait',
    subject: { kind: 'blob', name: 'app', digest: 'sha256:12' },
    pointer: '#/a/0',
    location: { file: 'c.yaml', line: 3, column: 1, offset: 40 },
    expected: 'x',
    actual: 7,
    retryable: true,
    retry_after_ms: 1500,
    cause: ['TypeError: underneath', 'and below'],
  })
})

test.each<[string, unknown]>([
  ['an error', new RangeError('boom')],
  ['a text', 'boom'],
  ['undefined', undefined],
  ['null', null],
  ['a symbol', Symbol('boom')],
  ['an object without a prototype', Object.create(null)],
  ['an object that cannot be shown', { toString: () => assertNever() }],
  [
    'an error that cannot be shown',
    Object.defineProperty(new Error('x'), 'message', { get: () => assertNever() }),
  ],
])('errorObject() makes INTERNAL, exit 70, of %s that was thrown', (_what, thrown) => {
  const object = errorObject(thrown)
  expect(object).toMatchObject({ code: 'INTERNAL', exit: 70, retryable: false })
  expect(object.message).toMatch(/^Unexpected: ./)
})

function assertNever(): never {
  throw new Error('shown')
}

test('errorObject() escapes and redacts every text of it', () => {
  registerSecret('canary-secret')
  const dirty = 'canary-secret \u001b[2J\u202e two\nlines'
  const shown = errorObject(
    new CarryallError('REG_PROTOCOL', dirty, {
      hint: dirty,
      subject: { kind: 'tag', name: dirty, digest: dirty },
      pointer: `#/${dirty}`,
      location: { file: dirty, line: 1 },
      expected: dirty,
      actual: dirty,
      cause: new Error(dirty, { cause: dirty }),
    }),
  )
  const text = JSON.stringify(shown)
  expect(text).not.toContain('canary-secret')
  expect(text.match(/\*\*\* \\\\u\{1b\}\[2J\\\\u\{202e\} two lines/g)).toHaveLength(10)
  expect(shown.location).toMatchObject({ line: 1 })
})

test('errorObject() cuts a long message, never through a character or a secret', () => {
  registerSecret('s3cret-at-the-edge')
  const secret = errorObject(
    new CarryallError('INTERNAL', `${'x'.repeat(490)}s3cret-at-the-edge${'y'.repeat(100)}`),
  )
  expect(secret.message).toHaveLength(500)
  expect(secret.message).not.toContain('s3cr')
  const wide = errorObject(new CarryallError('INTERNAL', `x${'🚢'.repeat(400)}`)).message
  expect(wide.isWellFormed()).toBe(true)
  expect(wide.length).toBeLessThanOrEqual(500)
  expect(wide).toMatch(/🚢…$/u)
  expect(errorObject(new CarryallError('INTERNAL', 'x'.repeat(500))).message).toBe('x'.repeat(500))
})

test('errorObject() follows causes to the fifth, also where they run in a circle', () => {
  const error = new Error('round')
  error.cause = error
  expect(errorObject(error).cause).toHaveLength(5)
})
