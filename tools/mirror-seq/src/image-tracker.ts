import { CarryallError } from '@carryall/errors'
import type { Phase } from '@carryall/cli'
import { humanSize, type HeldBlob, type ImageLine, type MirrorPlan } from '@carryall/schemas'

/** Follows blobs and speaks of images, since that is what people know by name. */
export interface ImageTracker {
  done(blob: HeldBlob, how: 'kept' | 'copied' | 'fetched'): void
  /** One error for each image that lacks a blob. */
  failed(failures: ReadonlyMap<string, unknown>): readonly unknown[]
}

export function imageTracker(plan: MirrorPlan, phase: Phase): ImageTracker {
  const fresh = new Set(plan.blobs.filter((blob) => 'archive' in blob).map((blob) => blob.digest))
  const waiting = new Map<ImageLine, Set<string>>()
  const users = new Map<string, ImageLine[]>()
  const bytes = new Map<ImageLine, number>()
  for (const image of plan.images) {
    const own = new Set([...image.manifests, ...image.blobs].filter((digest) => fresh.has(digest)))
    if (own.size === 0) phase.finished(nameOf(image), 'nothing new')
    else waiting.set(image, own)
    for (const digest of own) users.set(digest, [...(users.get(digest) ?? []), image])
  }
  return {
    done(blob, how) {
      if (how !== 'fetched') phase.advanced(blob.size)
      for (const image of users.get(blob.digest) ?? []) {
        const left = waiting.get(image)!
        left.delete(blob.digest)
        bytes.set(image, (bytes.get(image) ?? 0) + blob.size)
        if (left.size === 0) phase.finished(nameOf(image), humanSize(bytes.get(image)!))
      }
    },
    failed(failures) {
      return plan.images.flatMap((image) => {
        const digest = [...image.manifests, ...image.blobs].find((blob) => failures.has(blob))
        if (digest === undefined) return []
        const error = failures.get(digest)
        phase.failed(nameOf(image), error)
        return error instanceof CarryallError
          ? [
              new CarryallError(error.code, `${nameOf(image)}: ${error.message}`, {
                ...error.details,
                cause: error,
              }),
            ]
          : [error]
      })
    },
  }
}

function nameOf(image: ImageLine): string {
  return `${image.repository}${image.tag === undefined ? `@${image.digest.slice(0, 19)}` : `:${image.tag}`}`
}
