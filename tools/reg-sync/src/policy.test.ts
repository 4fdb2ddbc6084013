import { expect, test } from 'vitest'
import { policyFor } from './policy.ts'

test('a tag stays unless a glob lets it move', () => {
  expect(policyFor('latest')).toBe('never')
  expect(policyFor('latest', undefined, {})).toBe('never')
  expect(policyFor('latest', { latest: 'move' })).toBe('move')
  expect(policyFor('latest-1', { latest: 'move' })).toBe('never')
  expect(policyFor('env-prod', { 'env-*': 'move' })).toBe('move')
})

test('the first glob that fits counts, in a table and over all tables', () => {
  const table = { 'env-prod': 'never', 'env-*': 'move' } as const
  expect(policyFor('env-prod', table)).toBe('never')
  expect(policyFor('env-test', table)).toBe('move')
  expect(policyFor('env-prod', { '*': 'move' }, table)).toBe('move')
  expect(policyFor('v1', table, { 'v*': 'move' })).toBe('move')
})

test('a table is looked at as it is, however often it was asked', () => {
  expect([1, 2, 3].map(() => policyFor('x', { x: 'move' }))).toEqual(['move', 'move', 'move'])
  expect(policyFor('x', { x: 'never' })).toBe('never')
})

test('tags of signatures are tags like others', () => {
  const tag = `sha256-${'0'.repeat(64)}.sig`
  expect(policyFor(tag, { latest: 'move' })).toBe('never')
  expect(policyFor(tag, { 'sha256-*.sig': 'move' })).toBe('move')
})
