import { expect, test } from 'vitest'
import { mapPath } from './map-path.ts'

const TABLE = [
  { from: 'team/app', to: 'apps/team' },
  { from: 'team', to: 'others' },
  { from: 'old/', to: '' },
]

test.each([
  ['team/app', 'apps/team'],
  ['team/app/web', 'apps/team/web'],
  ['team/apple', 'others/apple'],
  ['team', 'others'],
  ['teams/app', 'teams/app'],
  ['old/a/b', 'a/b'],
  ['old', ''],
  ['', ''],
])('%j is put at %j by the first rule that fits on whole components', (repository, mapped) => {
  expect(mapPath(repository, TABLE)).toBe(mapped)
})

test('without a table all stays', () => {
  expect(mapPath('team/app')).toBe('team/app')
})

test('a name that gets too long is refused', () => {
  const table = [{ from: 'a', to: 'b'.repeat(250) }]
  expect(mapPath('a/1234', table)).toHaveLength(255)
  expect(() => mapPath('a/12345', table)).toThrow(
    expect.objectContaining({ code: 'REFERENCE_INVALID', exit: 65 }),
  )
})
