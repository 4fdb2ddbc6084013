import type { IncomingMessage, ServerResponse } from 'node:http'
import type { BlobPlaces, BlobStaging, Destination, ManifestDeleter, Source } from '@carryall/oci'
import type { UploadSessions } from './upload-sessions.ts'

/** What can be served: any source whose blobs are in files. */
export type Readable = Source & BlobPlaces

/** What can be pushed to. */
export type Writable = Destination & BlobPlaces & BlobStaging & ManifestDeleter

/** True for a store that takes pushes. */
export function isWritable(store: Readable): store is Writable {
  return 'putManifest' in store && 'commitStaged' in store && 'deleteManifest' in store
}

/** What a push needs. */
export interface Push {
  readonly store: Writable
  readonly sessions: UploadSessions
}

/** What a client may do without, or with, the login that its request carries. */
export interface Access {
  readonly pull: boolean
  readonly push: boolean
  /** A login would allow more than that. */
  readonly more: boolean
}

/** One request with all that its answer needs. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly path: string
  readonly query: URLSearchParams
  readonly store: Readable
  readonly access: Access
  /** Absent where nothing may be written. */
  readonly push?: Push
  /** Why it is absent, for clients. */
  readonly refusedPushes: string
  readonly pageSize: number
}
