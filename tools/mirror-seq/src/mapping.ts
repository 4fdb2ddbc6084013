import type { ImageLine } from '@carryall/schemas'

// oc-mirror's own registry: what its mirrorToDisk names as destination.
const CACHE = 'docker://localhost:55000'

/** oc-mirror's `mapping.txt`: `source=destination`, one image a line. */
export function mapping(images: readonly ImageLine[]): string {
  return images
    .filter((image) => image.tag !== undefined && image.subject === undefined)
    .map(
      (image) =>
        `${image.name.includes(':/') ? image.name : `docker://${image.name}`}=${CACHE}/${image.repository}:${image.tag}\n`,
    )
    .join('')
}
