import { expect, test } from 'vitest'
import { RefusalScopes } from './refusal-scopes.ts'

test.each([
  ['one refusal', ['a/x'], []],
  ['a repository twice', ['a/x', 'a/x'], ['a/x']],
  ['two repositories of a namespace', ['a/x', 'a/y'], ['a']],
  ['a repository below another one', ['a/x', 'a/x/y'], ['a']],
  ['two namespaces', ['a/x', 'b/y'], ['']],
  ['two repositories without a namespace', ['x', 'y'], ['']],
  ['one without a namespace twice', ['x', 'x'], ['x']],
  ['two namespaces after one', ['a/x', 'a/y', 'b/x'], ['']],
  ['a success of the repository between them', ['a/x', '+a/x', 'a/x'], []],
  ['a success of the namespace between them', ['a/x', '+a/z', 'a/y'], []],
  ['a success elsewhere', ['a/x', '+b/z', 'a/y'], ['a']],
  ['a success elsewhere, for the registry', ['a/x', '+c/z', 'b/y'], []],
])('%s', (_name, events, expected) => {
  const scopes = new RefusalScopes()
  let refused: readonly string[] = []
  for (const event of events) {
    if (event.startsWith('+')) scopes.succeed(event.slice(1))
    else refused = scopes.refuse(event)
  }
  expect(refused).toEqual(expected)
})
