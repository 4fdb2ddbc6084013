import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { type DataSet, dataSets } from './data-set.ts'
import { digestOf, makeLayer } from './make-layer.ts'

const { S, L } = dataSets

function layersOf(images: DataSet['images']): ReadonlyMap<string, number> {
  return new Map(images.flatMap((image) => image.layers.map((layer) => [layer.seed, layer.size])))
}

function sum(sizes: Iterable<number>): number {
  return [...sizes].reduce((total, size) => total + size, 0)
}

test('S is many small images on eight base families', () => {
  expect(S.images).toHaveLength(180)
  expect(new Set(S.images.map((image) => image.repository)).size).toBe(60)
  expect(S.images.every((image) => image.layers.length === 5)).toBe(true)
  expect(layersOf(S.images).size).toBe(384)
  expect(sum(layersOf(S.images).values()) / 1e6).toBeCloseTo(49.7, -1)
})

test('L is six large images with one layer in common', () => {
  const common = [...layersOf(L.images).keys()].filter((seed) =>
    L.images.every((image) => image.layers.some((layer) => layer.seed === seed)),
  )
  expect(L.images).toHaveLength(6)
  expect(common).toEqual(['L/base'])
  expect(layersOf(L.images).size).toBe(19)
  expect(sum(layersOf(L.images).values()) / 1e6).toBeCloseTo(1864, -2)
})

test('the next version of L keeps all layers and adds a twentieth of the bytes', () => {
  const first = layersOf(L.images)
  const next = layersOf(L.next)
  expect([...first.keys()].every((seed) => next.has(seed))).toBe(true)
  expect(sum(next.values()) / sum(first.values())).toBeCloseTo(1.05, 3)
})

test('a layer is the same each time, and an archive that tar takes', async () => {
  const spec = { seed: 'a layer', size: 70_001, level: 1 } as const
  const [layer, again] = [await makeLayer(spec), await makeLayer(spec)]
  expect(again).toEqual(layer)
  expect(digestOf(layer.bytes)).toBe(layer.digest)
  const listed = execFileSync('tar', ['-tvzf', '-', '--full-time', '--utc', '--numeric-owner'], {
    input: layer.bytes,
    encoding: 'utf8',
  })
  expect(listed.trim().split(/\s+/)).toEqual(['-rw-r--r--', '0/0', '70001', '1970-01-01', '00:00:00', 'data'])
})
