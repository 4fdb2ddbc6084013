import { expect, test } from 'vitest'
import { page } from './page.ts'

const NAMES = ['a', 'b', 'c', 'd', 'e']
const query = (text: string) => new URLSearchParams(text)

test('all fit', () => {
  expect(page(NAMES, '/x', query(''), 5)).toEqual({ names: NAMES })
  expect(page([], '/x', query(''), 5)).toEqual({ names: [] })
})

test('pages follow one another without a gap, whatever their size', () => {
  for (const size of [1, 2, 3, 5, 9]) {
    const seen: string[] = []
    let next: string | undefined = `/x?n=${size}`
    while (next !== undefined) {
      const [path, search] = next.split('?')
      const { names, link } = page(NAMES, path!, query(search!), 4)
      seen.push(...names)
      next = link === undefined ? undefined : /^<(.*)>; rel="next"$/.exec(link)![1]
    }
    expect(seen).toEqual(NAMES)
  }
})

test('last need not be a name that is there', () => {
  expect(page(NAMES, '/x', query('last=bb'), 5).names).toEqual(['c', 'd', 'e'])
})

test('n has its bounds', () => {
  expect(page(NAMES, '/x', query('n=0'), 5)).toEqual({ names: [] })
  expect(page(NAMES, '/x', query('n=100'), 2).names).toEqual(['a', 'b'])
  for (const wrong of ['-1', 'x', '1.5', '']) {
    expect(() => page(NAMES, '/x', query(`n=${wrong}`), 5)).toThrow(expect.objectContaining({ status: 400 }))
  }
})
