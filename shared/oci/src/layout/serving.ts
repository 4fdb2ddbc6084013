import type { Descriptor } from '@carryall/schemas'
import type { BlobOutcome } from '../store.ts'

/** Where the bytes of a blob are: a part of a file that does not change. */
export interface BlobPlace {
  readonly file: string
  readonly offset: number
  readonly size: number
}

/** A store whose blobs are in files. A server has to say their size before the first byte, and sends them from there. */
export interface BlobPlaces {
  /** Undefined where the store has no such blob. */
  blobPlace(repository: string, digest: string): Promise<BlobPlace | undefined>
}

/** A store that takes a finished file of its own file system as a blob, so that an upload is written once. */
export interface BlobStaging {
  /** Where such files are made: same file system as the blobs, for one process at a time. */
  readonly stagingDirectory: string

  /**
   * Makes `file` the blob, durably, and takes the file away. The caller has hashed it: only its size is checked here.
   * Throws SIZE_MISMATCH, IO_*.
   */
  commitStaged(blob: Descriptor, file: string): Promise<BlobOutcome>
}

/** A store that can forget manifests (distribution-spec: content management). */
export interface ManifestDeleter {
  /**
   * Removes a tag, leaving its manifest reachable by digest, or a manifest with all its tags. False where there is none.
   * Throws REG_REFUSED for a manifest that an index of the repository still contains.
   */
  deleteManifest(repository: string, reference: string, signal?: AbortSignal): Promise<boolean>
}
