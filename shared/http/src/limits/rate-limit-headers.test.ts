import { expect, test } from 'vitest'
import type { HttpResponse } from '../response.ts'
import { rateLimit } from './rate-limit-headers.ts'

const NOW = new Date('2026-01-05T12:00:00Z')
const read = (headers: Record<string, string>) =>
  rateLimit({ header: (name) => headers[name] } as HttpResponse, NOW)

test.each([
  [
    'Docker Hub',
    { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '76;w=21600' },
    { remaining: 76, limit: 100, resetMs: 21_600_000, pullsOnly: true },
  ],
  [
    'one header',
    { ratelimit: 'limit=100, remaining=5, reset=30' },
    { remaining: 5, limit: 100, resetMs: 30_000 },
  ],
  [
    'one header with a policy',
    { ratelimit: '"default";r=0;t=7', 'ratelimit-policy': '"default";q=50;w=60' },
    { remaining: 0, limit: 50, resetMs: 7000 },
  ],
  [
    'three headers',
    { 'ratelimit-limit': '10, 10;w=1', 'ratelimit-remaining': '9', 'ratelimit-reset': '1' },
    { remaining: 9, limit: 10, resetMs: 1000 },
  ],
  [
    'x- with seconds',
    { 'x-ratelimit-limit': '5000', 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': '60' },
    { remaining: 1, limit: 5000, resetMs: 60_000 },
  ],
  [
    'x- with a time',
    { 'x-ratelimit-limit': '5000', 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': '1767614430' },
    { remaining: 1, limit: 5000, resetMs: 30_000 },
  ],
  [
    'a time that is past',
    { 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': '1767614000' },
    { remaining: 1, limit: undefined, resetMs: 0 },
  ],
  ['a bare count', { 'ratelimit-remaining': '3' }, { remaining: 3, limit: undefined, resetMs: undefined }],
])('%s', (_name, headers, expected) => {
  expect(read(headers)).toEqual({ pullsOnly: false, ...expected })
})

test.each([
  ['nothing', {}],
  ['words', { 'x-ratelimit-remaining': 'few' }],
  ['a limit alone', { 'ratelimit-limit': '100' }],
  ['less than nothing', { 'x-ratelimit-remaining': '-5' }],
  ['one header without a count', { ratelimit: 'limit=100' }],
])('%s says nothing', (_name, headers) => {
  expect(read(headers)).toBeUndefined()
})
