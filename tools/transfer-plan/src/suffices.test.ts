import { expect, test } from 'vitest'
import type { BlobLine } from '@carryall/schemas'
import { Catalogue } from './catalogue.ts'
import { suffices } from './suffices.ts'

test('shipments suffice where they hold all that the target needs, or declares, and what that declares', () => {
  const catalogue = new Catalogue()
  const held = (digest: string): BlobLine => ({ digest, size: 1, media_type: 'x', archive: 'a', offset: 0 })
  const needs = (...places: number[]) => ({
    dependencies: places.map((on) => ({
      sequence_number: on + 1,
      name: '',
      metadata_digest: `shipment ${on}`,
    })),
  })
  const contents = [
    catalogue.contentOf('shipment 0', needs(), [held('a'), held('b')]),
    catalogue.contentOf('shipment 1', needs(0), [held('c'), { digest: 'a', size: 1, sequence: 1 }]),
    catalogue.contentOf('shipment 2', needs(1), undefined),
    catalogue.contentOf('shipment 3', needs(1), [{ digest: 'c', size: 1, sequence: 2 }]),
  ]
  expect(suffices([0], contents, 0)).toBe(true)
  expect(suffices([1], contents, 1)).toBe(false)
  expect(suffices([0, 1], contents, 1)).toBe(true)
  // What is declared has to be complete itself; of what is indexed the blobs are enough.
  expect(suffices([1, 2], contents, 2)).toBe(false)
  expect(suffices([0, 1, 2], contents, 2)).toBe(true)
  expect(suffices([1, 3], contents, 3)).toBe(true)
  expect(suffices([0, 1, 2], contents, 3)).toBe(false)
})
