import { expect, test } from 'vitest'
import { nextLink } from './link.ts'

test.each([
  [['</v2/_catalog?last=b&n=2>; rel="next"'], '/v2/_catalog?last=b&n=2'],
  [['<a>; rel=next'], 'a'],
  [['<a>;rel="prev", <b>; rel="next"'], 'b'],
  [['<a>; rel="prev"', '<b>; title="x, y; rel=next"; rel="start next"'], 'b'],
  [['<a>; title="rel=next"'], undefined],
  [['<a>; REL="NEXT"'], 'a'],
  [['<a,b>; rel="next"'], 'a,b'],
  [['<a>'], undefined],
  [['a; rel="next"'], undefined],
  [[''], undefined],
  [[], undefined],
])('%j', (headers, expected) => {
  expect(nextLink(headers)).toBe(expected)
})

test('a hostile header takes no time', () => {
  const started = performance.now()
  for (const part of ['<', '<a>', '<a>;', '; ', '<a>;x"', ' ']) nextLink([part.repeat(500_000)])
  nextLink([`<a>${';x'.repeat(9000)}`])
  expect(performance.now() - started).toBeLessThan(500)
})
