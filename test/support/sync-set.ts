import { sampleImage, sampleLayer } from '@carryall/oci/testing'
import type { Named } from './sample-set.ts'

const FAMILIES = 8

/**
 * Small images: so many repositories below `team/`, each with so many tags. 60 % of the layers that the images name belong to
 * one of eight families: one or two of an image's two or three, the other to it alone. The same every time.
 */
export function syncSet(repositories: number, tags: number): readonly Required<Named>[] {
  const families = range(FAMILIES).map((family) =>
    range(2).map((index) => sampleLayer(`family-${family}/${index}`, 400)),
  )
  return range(repositories).flatMap((app) =>
    range(tags).map((tag) => ({
      repository: `team/app-${String(app).padStart(3, '0')}`,
      tag: `1.${tag}`,
      sample: sampleImage(`app-${app}/${tag}`, {
        layers: [300],
        shared: families[app % FAMILIES]!.slice(0, 1 + ((app + tag) % 2)),
      }),
    })),
  )
}

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index)
}
