import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { BlobLine } from '@carryall/schemas'
import { Catalogue, type Content } from './catalogue.ts'
import { closure, type ClosureInput } from './closure.ts'
import { proven } from './proven.ts'

const digest = (name: string): string => name
const held = (name: string): BlobLine => ({
  digest: digest(name),
  size: 1,
  media_type: 'x',
  archive: 'a',
  offset: 0,
})
const borrowed = (name: string, sequence: number): BlobLine => ({ digest: digest(name), size: 1, sequence })

interface Sample {
  readonly bytes: number
  readonly held: readonly number[]
  readonly borrowed: readonly number[]
  /** Without an index it is judged by these, places of earlier ones. */
  readonly dependencies?: readonly number[] | undefined
}

function contentsOf(samples: readonly Sample[]): { contents: readonly Content[]; items: number } {
  const catalogue = new Catalogue()
  const contents = samples.map((sample, place) =>
    catalogue.contentOf(
      `shipment ${place}`,
      {
        dependencies: (sample.dependencies ?? []).map((on) => ({
          sequence_number: on + 1,
          name: '',
          metadata_digest: `shipment ${on}`,
        })),
      },
      sample.dependencies === undefined
        ? [
            ...sample.held.map((blob) => held(`blob ${blob}`)),
            ...sample.borrowed.map((blob) => borrowed(`blob ${blob}`, 1)),
          ]
        : undefined,
    ),
  )
  return { contents, items: catalogue.size }
}

const chain = fc
  .array(
    fc.record({
      // Few different sizes, so that there are ties
      bytes: fc.integer({ min: 0, max: 6 }),
      held: fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { maxLength: 5 }),
      borrowed: fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { maxLength: 5 }),
      index: fc.integer({ min: 0, max: 3 }).map((one) => one > 0),
      dependencies: fc.uniqueArray(fc.integer({ min: 0, max: 7 }), { maxLength: 3 }),
      complete: fc.integer({ min: 0, max: 3 }).map((one) => one === 0),
      usable: fc.integer({ min: 0, max: 7 }).map((one) => one > 0),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .chain((samples) => fc.tuple(fc.constant(samples), fc.integer({ min: 0, max: samples.length - 1 })))
  .map(([samples, target]) => ({
    target,
    complete: samples.flatMap((sample, place) => (sample.complete && place !== target ? [place] : [])),
    usable: samples.map((sample) => sample.usable),
    shipments: samples.map((sample, place): Sample => ({
      bytes: sample.bytes,
      held: sample.index ? sample.held : [],
      borrowed: sample.borrowed.filter((blob) => !sample.held.includes(blob)),
      dependencies: sample.index ? undefined : sample.dependencies.filter((on) => on < place),
    })),
  }))

/** Everything by trying everything: what is there, which subsets do, and which of them is best. */
function byBruteForce({
  shipments,
  complete,
  usable,
  target,
}: {
  shipments: readonly Sample[]
  complete: readonly number[]
  usable: readonly boolean[]
  target: number
}): readonly number[] | undefined {
  const whole = new Set(complete)
  for (let before = -1; before !== whole.size;) {
    before = whole.size
    for (const place of [...whole]) for (const on of shipments[place]!.dependencies ?? []) whole.add(on)
  }
  const there = new Set(
    [...whole].flatMap((place) =>
      [...shipments[place]!.held, ...shipments[place]!.borrowed].filter(
        () => shipments[place]!.dependencies === undefined,
      ),
    ),
  )
  const works = (set: readonly number[]): boolean =>
    set.includes(target) &&
    set.every((place) => {
      const { borrowed: needs, dependencies } = shipments[place]!
      if (!usable[place]) return false
      if (dependencies !== undefined) return dependencies.every((on) => whole.has(on) || set.includes(on))
      return needs.every((blob) => there.has(blob) || set.some((one) => shipments[one]!.held.includes(blob)))
    })
  const bytes = (set: readonly number[]): number =>
    set.reduce((sum, place) => sum + shipments[place]!.bytes, 0)
  return Array.from({ length: 2 ** (target + 1) }, (_, mask) =>
    shipments.flatMap((_sample, place) => ((mask >> place) & 1 ? [place] : [])),
  )
    .filter(works)
    .sort(
      (a, b) =>
        bytes(a) - bytes(b) ||
        a.length - b.length ||
        (a.find((place, at) => place !== b[at]) ?? 0) - (b.find((place, at) => place !== a[at]) ?? 0),
    )[0]
}

function inputOf(sample: {
  shipments: readonly Sample[]
  complete: readonly number[]
  usable?: readonly boolean[]
  target: number
}): ClosureInput {
  const { contents, items } = contentsOf(sample.shipments)
  return {
    contents,
    bytes: sample.shipments.map((one) => one.bytes),
    usable: sample.shipments.map((_, place) => place <= sample.target && (sample.usable?.[place] ?? true)),
    present: proven(contents, sample.complete, items).items,
    target: sample.target,
  }
}

describe('the shipments that have to cross', () => {
  test('are those that trying every subset finds', () => {
    let impossible = 0
    let several = 0
    fc.assert(
      fc.property(chain, (sample) => {
        const wanted = byBruteForce(sample)
        const found = closure(inputOf(sample))
        if (wanted === undefined) {
          impossible++
          expect(found.lacking).toBeDefined()
        } else {
          if (wanted.length > 1) several++
          expect(found).toMatchObject({ chosen: wanted, exact: true })
        }
      }),
      { numRuns: 3000 },
    )
    // What it proves nothing about is not most of it
    expect(impossible).toBeLessThan(2500)
    expect(several).toBeGreaterThan(100)
  })

  test('are the target alone where the site has the rest', () => {
    const shipments = [
      { bytes: 100, held: [1, 2], borrowed: [] },
      { bytes: 10, held: [3], borrowed: [1, 2] },
    ]
    expect(closure(inputOf({ shipments, complete: [0], target: 1 }))).toEqual({
      chosen: [1],
      bytes: 10,
      exact: true,
    })
    expect(closure(inputOf({ shipments, complete: [], target: 1 }))).toEqual({
      chosen: [0, 1],
      bytes: 110,
      exact: true,
    })
  })

  test('are found among a thousand with many blobs, and within bounds where everybody holds everything', () => {
    const many = Array.from({ length: 1000 }, (_, place) => ({
      bytes: 1000 + place,
      held: Array.from({ length: 50 }, (_unused, at) => place * 50 + at),
      borrowed:
        place === 0 ? [] : Array.from({ length: 50 }, (_unused, at) => Math.floor(place / 2) * 50 + at),
    }))
    expect(closure(inputOf({ shipments: many, complete: [], target: 999 }))).toMatchObject({
      chosen: [0, 1, 3, 7, 15, 31, 62, 124, 249, 499, 999],
      exact: true,
    })
    // A set cover without structure: too much to be proven
    const chance = (a: number, b: number): number => {
      const mixed = Math.imul((a * 1000 + b + 1) ^ 0x5bd1e995, 0x9e3779b1)
      return (Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b) >>> 8) % 100
    }
    const tangled = Array.from({ length: 60 }, (_, place) => ({
      bytes: 1000 + chance(place, 1),
      held:
        place === 59
          ? []
          : Array.from({ length: 200 }, (_unused, blob) => blob).filter(
              (blob) => chance(place, blob) < 10 || place === blob % 59,
            ),
      borrowed: place === 59 ? Array.from({ length: 200 }, (_unused, blob) => blob) : [],
    }))
    const found = closure(inputOf({ shipments: tangled, complete: [], target: 59 }), 20_000)
    expect(found).toMatchObject({ exact: false })
    expect(found.lacking).toBeUndefined()
  })

  test('are none where nobody holds what is needed, and each such item is named with its lender', () => {
    const shipments = [
      { bytes: 1, held: [1], borrowed: [] },
      { bytes: 1, held: [2], borrowed: [8, 9] },
      { bytes: 1, held: [3], borrowed: [1, 2, 7] },
    ]
    const input = inputOf({ shipments, complete: [], target: 2 })
    const { lacking } = closure(input)
    expect(lacking).toHaveLength(3)
    expect(lacking?.every(({ lender }) => lender === 1)).toBe(true)
  })
})
