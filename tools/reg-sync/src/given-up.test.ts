import { CarryallError, type ErrorCode } from '@carryall/errors'
import { expect, test } from 'vitest'
import { places } from './given-up.ts'

const error = (code: ErrorCode, kind: 'host' | 'repository' | 'tag', name: string) =>
  new CarryallError(code, 'Refused', { subject: { kind, name } })
const image = (repository: string, registry = 'dr.example') => ({
  source: { registry: 'prod.example', repository: `up/${repository}` },
  destination: { registry, repository },
})

test.each([
  ['a registry', error('REG_DISK_FULL', 'host', 'dr.example'), ['a', 'team/a', 'team/sub/b', 'teams/a']],
  ['a source', error('LOGIN_FAILED', 'host', 'prod.example'), ['a', 'team/a', 'team/sub/b', 'teams/a']],
  ['a namespace', error('REG_QUOTA_EXCEEDED', 'repository', 'dr.example/team'), ['team/a', 'team/sub/b']],
  ['a repository', error('REG_READ_ONLY', 'repository', 'dr.example/team/a'), ['team/a']],
  ['one tag', error('REG_READ_ONLY', 'tag', 'dr.example/team/a:1'), []],
  ['nothing', error('AUTH_DENIED', 'host', 'dr.example'), []],
])('what gives up %s is against what is there, and nothing else', (_what, found, names) => {
  const given = places()
  given.learn(found)
  const all = ['a', 'team/a', 'team/sub/b', 'teams/a']
  expect(all.filter((name) => given.against(image(name)) === found)).toEqual(names)
  expect(all.filter((name) => given.against(image(name, 'other.example')) === found)).toEqual(
    found.details.subject?.name === 'prod.example' ? all : [],
  )
})
