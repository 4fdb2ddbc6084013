import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FILE_SYSTEMS, type Medium, type PlannedVolume, type VolumeEntry } from '@carryall/schemas'
import { packVolumes, type PackFile } from './pack-volumes.ts'
import { frame, mediumOf } from './testing/plan-samples.ts'

const MB = 1_000_000

function file(path: string, size_bytes: number, shipment = 'seq1'): PackFile {
  const sha256 = createHash('sha256').update(`${shipment}/${path}`).digest('hex')
  return { chain: 'edge', shipment, path, size_bytes, sha256 }
}

function paths(volumes: readonly PlannedVolume[]): readonly string[][] {
  return volumes.map((volume) => volume.entries.map((entry) => entry.stored))
}

describe('packVolumes', () => {
  test('the largest first, smaller ones in what is left, shipments in order', () => {
    const files = [
      file('small', 2 * MB),
      file('half', 5 * MB),
      file('most', 7 * MB),
      file('late', 3 * MB, 'seq2'),
      file('last', 9 * MB, 'seq2'),
    ]
    expect(paths(packVolumes(files, [mediumOf('plain', 10 * MB)], frame()))).toEqual([
      ['edge/seq1/most', 'edge/seq1/small'],
      ['edge/seq1/half', 'edge/seq2/late'],
      ['edge/seq2/last'],
    ])
  })

  test('a file that is larger than a volume fills the rest of one, then whole ones', () => {
    const files = [file('first', 4 * MB), file('large', 27 * MB, 'seq2'), file('last', MB, 'seq3')]
    const volumes = packVolumes(files, [mediumOf('plain', 10 * MB)], frame())
    const parts = volumes.flatMap((volume) => volume.entries).filter((entry) => entry.part !== undefined)
    expect(parts.map(({ part, parts: of }) => [part, of])).toEqual([
      [1, 4],
      [2, 4],
      [3, 4],
      [4, 4],
    ])
    const folder = `parts/${files[1]!.sha256.slice(0, 32)}`
    expect(paths(volumes)).toEqual([
      ['edge/seq1/first', `${folder}/0001`],
      [`${folder}/0002`],
      [`${folder}/0003`],
      [`${folder}/0004`, 'edge/seq3/last'],
    ])
    for (const volume of volumes.slice(0, 3)) expect(volume.used_bytes).toBeGreaterThan(10 * MB - 3 * 4096)
  })

  test('parts of two files with the same bytes have names of their own', () => {
    const files = ['a', 'b'].map((path) => ({ ...file('same', 15 * MB), path }))
    const stored = paths(packVolumes(files, [mediumOf('plain', 10 * MB)], frame())).flat()
    expect(new Set(stored).size).toBe(stored.length)
  })

  test('the limit of FAT32 makes parts on one volume, with room for encryption', () => {
    const volumes = packVolumes([file('archive', 10e9)], [mediumOf('fat32', undefined)], frame())
    expect(volumes).toHaveLength(1)
    const sizes = volumes[0]!.entries.map((entry) => entry.size_bytes)
    expect(sizes).toHaveLength(3)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(2 ** 32 - 1 - 4 * 2 ** 20)
  })

  test('of the media each is used once, and the last one again and again', () => {
    const media = [mediumOf('plain', 5 * MB), mediumOf('ext4', 10 * MB), mediumOf('udf', 20 * MB)]
    const files = Array.from({ length: 8 }, (_, index) => file(`f${index}`, 4 * MB))
    const volumes = packVolumes(files, media, frame())
    expect(volumes.map((volume) => volume.medium.filesystem)).toEqual(['plain', 'ext4', 'udf', 'udf'])
    expect(volumes.map((volume) => volume.entries.length)).toEqual([1, 2, 4, 1])
  })

  test('metadata alone is a volume, nothing is none', () => {
    expect(packVolumes([], [mediumOf('plain', MB)], frame())).toMatchObject([{ number: 1, entries: [] }])
    expect(packVolumes([], [mediumOf('plain', MB)], { ...frame(), metadata: [] })).toEqual([])
  })

  test('what never fits is refused', () => {
    const packing = (medium: Medium) => () => packVolumes([file('x', MB)], [medium], frame())
    expect(packing(mediumOf('plain', 10_000))).toThrow(expect.objectContaining({ code: 'MEDIA_TOO_SMALL' }))
    expect(packing(mediumOf('exfat', 20_000))).toThrow(expect.objectContaining({ code: 'MEDIA_TOO_SMALL' }))
    expect(packing({ ...mediumOf('ext4', 10 * MB), max_files: 5 })).toThrow(
      expect.objectContaining({ code: 'MEDIA_TOO_SMALL' }),
    )
    const packingNothing = () =>
      packVolumes([file('x', 0)], [{ ...mediumOf('ext4', MB), max_files: 8 }], frame())
    expect(packingNothing).toThrow(expect.objectContaining({ code: 'MEDIA_TOO_SMALL' }))
    const twins = [file('Readme', 1), file('README', 1)]
    expect(() => packVolumes(twins, [mediumOf('exfat', 10 * MB)], frame())).toThrow(
      expect.objectContaining({ code: 'MEDIA_NAME_REFUSED' }),
    )
  })

  test('a directory of FAT32 that is full goes on on the next volume', () => {
    const name = (index: number): string => `${'n'.repeat(200)}${index}`
    const files = Array.from({ length: 5000 }, (_, index) => file(name(index), 0))
    const volumes = packVolumes(files, [mediumOf('fat32', 1000 * MB)], frame())
    // 17 slots of 32 bytes for each name; 65 536 in a directory.
    expect(volumes.map((volume) => volume.entries.length)).toEqual([3854, 1146])
  })

  const sizes = fc.oneof(
    fc.nat(10_000),
    fc.nat(3 * MB),
    fc.nat(40 * MB),
    fc.constantFrom(0, 1, 4096, 8 * MB, 8 * MB + 1),
  )
  const contents = fc.array(fc.tuple(fc.constantFrom('seq1', 'seq2', 'seq3'), sizes, fc.nat(3)), {
    maxLength: 40,
  })
  const media = fc.array(
    fc.tuple(fc.constantFrom(...FILE_SYSTEMS), fc.integer({ min: 1_500_000, max: 30 * MB })),
    { minLength: 1, maxLength: 3 },
  )

  test('whatever is packed: nothing lost, nothing twice, nothing too large, the same again', () => {
    fc.assert(
      fc.property(contents, media, (wanted, kinds) => {
        const files = wanted.map(([shipment, size, depth], index) =>
          file(`${'d/'.repeat(depth)}file-${index}`, size, shipment),
        )
        const given = kinds.map(([name, bytes]) => mediumOf(name, bytes))
        const volumes = packVolumes(files, given, frame())
        expect(packVolumes(files, given, frame())).toEqual(volumes)
        volumes.forEach((volume, index) => {
          expect(volume.number).toBe(index + 1)
          expect(volume.medium).toBe(given[Math.min(index, given.length - 1)])
          expect(volume.used_bytes).toBeLessThanOrEqual(volume.medium.capacity_bytes!)
          const stored = volume.entries.map((entry) => entry.stored)
          expect(new Set(stored).size).toBe(stored.length)
        })
        // In any order of volumes the pieces are the file.
        const pieces = volumes.toReversed().flatMap((volume) => volume.entries)
        for (const one of files) expectWhole(one, pieces.filter(isOf(one)))
        expect(pieces.filter((piece) => !files.some((one) => isOf(one)(piece)))).toEqual([])
      }),
      { numRuns: 200 },
    )
  })
})

function isOf(one: PackFile): (entry: VolumeEntry) => boolean {
  return (entry) => entry.shipment === one.shipment && entry.path === one.path
}

function expectWhole(one: PackFile, pieces: readonly VolumeEntry[]): void {
  const sorted = pieces.toSorted((a, b) => (a.offset ?? 0) - (b.offset ?? 0))
  let end = 0
  sorted.forEach((piece, index) => {
    expect(piece).toMatchObject({ file_size_bytes: one.size_bytes, sha256: one.sha256 })
    expect(piece.offset ?? 0).toBe(end)
    if (sorted.length > 1) expect(piece).toMatchObject({ part: index + 1, parts: sorted.length })
    else expect(piece).not.toHaveProperty('part')
    if (one.size_bytes > 0) expect(piece.size_bytes).toBeGreaterThan(0)
    end += piece.size_bytes
  })
  expect(sorted.length).toBeGreaterThan(0)
  expect(end).toBe(one.size_bytes)
}
