import { compare, hashSync } from 'bcryptjs'
import { expect, test } from 'vitest'
import { Logins } from './logins.ts'

const COST = 6
const users = new Map([
  ['alice', hashSync('secret', COST)],
  ['bob', hashSync('pässwörd:with:colons', COST)],
])
const HERE = '127.0.0.1'

test('right and wrong', async () => {
  const logins = new Logins(users)
  expect(await logins.check(HERE, 'alice', 'secret')).toBe('right')
  expect(await logins.check(HERE, 'bob', 'pässwörd:with:colons')).toBe('right')
  for (const [user, password] of [
    ['alice', 'Secret'],
    ['alice', ''],
    ['alice', 'x'.repeat(100_000)],
    ['Alice', 'secret'],
    ['', ''],
    ['nobody', 'secret'],
  ] as const)
    expect(await logins.check(HERE, user, password)).toBe('wrong')
})

test('a thousand requests cost one check, also when they come at once', async () => {
  const logins = new Logins(users)
  const start = performance.now()
  await compare('secret', users.get('alice')!)
  const one = performance.now() - start
  const many = performance.now()
  const verdicts = await Promise.all(
    Array.from({ length: 1000 }, () => logins.check(HERE, 'alice', 'secret')),
  )
  expect(new Set(verdicts)).toEqual(new Set(['right']))
  for (let each = 0; each < 1000; each++) expect(await logins.check(HERE, 'alice', 'secret')).toBe('right')
  expect(performance.now() - many).toBeLessThan(100 * one)
})

test('who fails is slowed down; others and those who are known are not', async () => {
  const logins = new Logins(users, () => 0)
  expect(await logins.check('192.0.2.1', 'alice', 'secret')).toBe('right')
  for (let each = 0; each < 10; each++)
    expect(await logins.check('192.0.2.1', 'alice', `wrong ${each}`)).toBe('wrong')
  expect(await logins.check('192.0.2.1', 'alice', 'wrong again')).toEqual({ retry: 6 })
  expect(await logins.check('192.0.2.1', 'bob', 'pässwörd:with:colons')).toEqual({ retry: 6 })
  expect(await logins.check('192.0.2.1', 'alice', 'secret')).toBe('right')
  expect(await logins.check('192.0.2.2', 'bob', 'pässwörd:with:colons')).toBe('right')
})

test('checks that pile up are turned away, whoever sends them', async () => {
  const logins = new Logins(users)
  const verdicts = await Promise.all(
    Array.from({ length: 100 }, (_, each) => logins.check(`192.0.2.${each}`, 'alice', `wrong ${each}`)),
  )
  expect(verdicts.filter((verdict) => verdict === 'wrong')).toHaveLength(64)
  expect(verdicts.filter((verdict) => verdict !== 'wrong')).toEqual(Array(36).fill({ retry: 1 }))
})

test('an unknown user takes as long as a known one', async () => {
  const logins = new Logins(users, () => 0)
  const took = async (user: string) => {
    const times: number[] = []
    for (let each = 0; each < 9; each++) {
      const start = performance.now()
      await logins.check(`192.0.2.${each}`, user, `wrong ${each}`)
      times.push(performance.now() - start)
    }
    return times.sort((a, b) => a - b)[2]!
  }
  const known = await took('alice')
  expect(await took('nobody')).toBeGreaterThan(known / 2)
})

test('other users from one moment to the next', async () => {
  const logins = new Logins(users)
  expect(await logins.check(HERE, 'alice', 'secret')).toBe('right')
  const during = logins.check(HERE, 'bob', 'pässwörd:with:colons')
  logins.replace(new Map([['alice', hashSync('another', 4)]]))
  expect(await during).toBe('right')
  expect(await logins.check(HERE, 'alice', 'secret')).toBe('wrong')
  expect(await logins.check(HERE, 'bob', 'pässwörd:with:colons')).toBe('wrong')
  expect(await logins.check(HERE, 'alice', 'another')).toBe('right')
})
