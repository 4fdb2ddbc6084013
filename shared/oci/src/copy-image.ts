import type { Descriptor } from '@carryall/schemas'
import type { CarrierOptions } from './blob-carrier.ts'
import type { PlaceOptions } from './place-image.ts'

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
  | { readonly outcome: 'same' | 'pushed' }
  | { readonly outcome: 'moved'; readonly previous: string; readonly backup?: string }
  | { readonly outcome: 'conflict'; readonly previous: string }
  | { readonly outcome: 'failed'; readonly error: unknown }

export interface CopyOptions extends CarrierOptions, PlaceOptions {
  readonly onImage?: (image: CopyImage, outcome: CopyOutcome) => void
}
