import type { RetryPolicy } from '@carryall/http'
import type { Descriptor } from '@carryall/schemas'

/** An image to copy, with all that belongs to it, as an index or a walk of its manifests says. */
export interface CopyImage {
  /** The reference at the destination, for reports. */
  readonly name: string
  readonly sourceRepository: string
  readonly repository: string
  /** Absent for what is reached by its digest alone. */
  readonly tag?: string
  readonly digest: string
  /** A signature or the like: goes after all that it may be attached to. */
  readonly attached?: true
  /** Children before the indexes that name them, the image itself last. */
  readonly manifests: readonly string[]
  readonly blobs: readonly Pick<Descriptor, 'digest' | 'size'>[]
}

export type CopyOutcome =
  | { readonly outcome: 'pushed' }
  | { readonly outcome: 'moved'; readonly previous: string }
  | { readonly outcome: 'conflict'; readonly previous: string }
  | { readonly outcome: 'failed'; readonly error: unknown }

export interface CopyOptions {
  /** Requests at once. */
  readonly parallel: number
  readonly signal: AbortSignal
  /** For reading a blob at its source. */
  readonly retry: RetryPolicy
  /** Whether a tag that holds `present` now may be moved to the image. Asked right before the tag is written. */
  readonly mayMove: (image: CopyImage, present: string) => boolean
  /** A repository of the destination that is known to hold the blob, to mount it from. */
  readonly mountFrom?: (digest: string) => string | undefined
  readonly onBytes?: (count: number) => void
  readonly onImage?: (image: CopyImage, outcome: CopyOutcome) => void
}
