import { expect, test } from 'vitest'
import { parseChallenges } from './challenge.ts'

const bearer = (parameters: object) => ({ scheme: 'bearer', parameters })
const REALM = 'https://auth.example/token'

test.each([
  [
    [`Bearer realm="${REALM}",service="a.example",scope="repository:a/b:pull,push"`],
    [bearer({ realm: REALM, service: 'a.example', scope: 'repository:a/b:pull,push' })],
  ],
  [['bearer REALM=x , Scope = "s"'], [bearer({ realm: 'x', scope: 's' })]],
  [
    ['Basic realm="a, b", Bearer realm="c"'],
    [{ scheme: 'basic', parameters: { realm: 'a, b' } }, bearer({ realm: 'c' })],
  ],
  [
    ['Basic', 'Bearer realm="c"'],
    [{ scheme: 'basic', parameters: {} }, bearer({ realm: 'c' })],
  ],
  [['Basic, Bearer realm="c"'], [{ scheme: 'basic', parameters: {} }, bearer({ realm: 'c' })]],
  [['Negotiate YWJj==, Bearer realm="c"'], [{ scheme: 'negotiate', parameters: {} }, bearer({ realm: 'c' })]],
  [[String.raw`Bearer realm="a\"b\\c"`], [bearer({ realm: String.raw`a"b\c` })]],
  [['Bearer realm="a", realm="b"'], [bearer({ realm: 'a' })]],
  [['Bearer realm="a",,scope="s",'], [bearer({ realm: 'a', scope: 's' })]],
  [['Bearer realm="unterminated'], [bearer({})]],
  [['Bearer realm='], [bearer({})]],
  [['realm="x"'], [{ scheme: 'realm', parameters: {} }]],
  [['"x"', 'Bearer realm="c"'], [bearer({ realm: 'c' })]],
  [['', ', ,'], []],
  [[], []],
])('%j', (headers, expected) => {
  expect(parseChallenges(headers)).toEqual(expected)
})

test('no name reaches beyond the parameters', () => {
  const [challenge] = parseChallenges(['Bearer __proto__="x", constructor="y"'])
  expect(Object.getPrototypeOf(challenge!.parameters)).toBeNull()
  expect(challenge!.parameters.realm).toBeUndefined()
})

test('a hostile header takes no time', () => {
  const started = performance.now()
  for (const part of ['a ', 'a=', '"\\', ',', 'a="', ' ', '='])
    parseChallenges([`Bearer ${part.repeat(500_000)}`])
  expect(performance.now() - started).toBeLessThan(500)
})
