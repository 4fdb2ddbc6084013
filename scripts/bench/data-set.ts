import { hash } from 'node:crypto'

/** A layer: a gzipped ustar archive of one file of `size` bytes that follow from `seed` and do not compress. */
export interface LayerSpec {
  readonly seed: string
  readonly size: number
  readonly level: 1 | 6
}

export interface ImageSpec {
  readonly repository: string
  readonly tag: string
  readonly layers: readonly LayerSpec[]
}

export type SetName = 'S' | 'L'

export interface DataSet {
  readonly name: SetName
  readonly images: readonly ImageSpec[]
  /** The next version of the same images, where there is one: what is new in it is about 5 % of the bytes. */
  readonly next: readonly ImageSpec[]
}

const KIB = 1024
const MIB = 1024 * KIB

/** Many small images: 60 repositories of 3 tags, of whose 5 layers 3 are those of one of 8 base families. */
function small(): DataSet {
  const layer = (seed: string) =>
    ({ seed: `S/${seed}`, size: between(seed, 50 * KIB, 200 * KIB), level: 6 }) as const
  const images = range(60).flatMap((app) =>
    range(3).map((tag) => ({
      repository: `small/app-${String(app).padStart(2, '0')}`,
      tag: `1.${tag}`,
      layers: [
        ...range(3).map((index) => layer(`base-${app % 8}/${index}`)),
        ...range(2).map((index) => layer(`app-${app}/${tag}/${index}`)),
      ],
    })),
  )
  return { name: 'S', images, next: [] }
}

/** A few large images: 6 repositories of 4 layers of 64 to 128 MiB, one of them in all; in the next version one more each. */
function large(): DataSet {
  const layer = (seed: string, size: number) => ({ seed: `L/${seed}`, size, level: 1 }) as const
  const images = range(6).map((app) => ({
    repository: `large/app-${app}`,
    tag: '1.0',
    layers: ['base', ...range(3).map((index) => `app-${app}/${index}`)].map((seed) =>
      layer(seed, between(seed, 64 * MIB, 128 * MIB)),
    ),
  }))
  const unique = new Map(images.flatMap((image) => image.layers.map((each) => [each.seed, each.size])))
  const added = Math.round((0.05 * [...unique.values()].reduce((sum, size) => sum + size, 0)) / images.length)
  const next = images.map((image) => ({
    ...image,
    tag: '1.1',
    layers: [...image.layers, layer(`${image.repository}/added`, added)],
  }))
  return { name: 'L', images, next }
}

/** Both follow from nothing but this file: the same bytes and digests everywhere. */
export const dataSets: Readonly<Record<SetName, DataSet>> = { S: small(), L: large() }

/** A size that follows from `seed`, evenly spread. */
function between(seed: string, least: number, most: number): number {
  const fraction = Number.parseInt(hash('sha256', `size of ${seed}`).slice(0, 8), 16) / 2 ** 32
  return least + Math.floor(fraction * (most - least))
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}
