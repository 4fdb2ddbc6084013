import type { HttpClient } from '@carryall/http'
import type { Destination } from '../store.ts'
import { breaker, type BreakerOptions } from './breaker.ts'
import { connection, type RegistryAddress } from './connection.ts'
import type { Credentials } from './credentials.ts'
import { deleteTag } from './delete-tag.ts'
import { getBlob, hasBlob } from './get-blob.ts'
import { repositories, tags } from './listing.ts'
import { getManifest, headManifest } from './manifests.ts'
import { blobUploads } from './put-blob.ts'
import { sendManifest } from './put-manifest.ts'
import { referrers } from './referrers.ts'

export interface RegistryOptions {
  readonly http: HttpClient
  readonly credentials: Credentials
  /** Token servers (`host` or `host:port`) that are trusted besides those of the registry's own site: `--allow-realm`. */
  readonly allowedRealms?: readonly string[]
  /** Milliseconds of a clock that never jumps; that of the process if absent. */
  readonly monotonic?: () => number
  /** Gives the registry up where it can take or give nothing more (see `breaker`); each request for itself if absent. */
  readonly breaker?: BreakerOptions
}

/**
 * A registry by the OCI distribution-spec 1.1, docker-registry 2.8 and what differs in others. Nothing is asked before the
 * first call. https, or plain http where that is allowed (see `createHttp`) and the registry speaks nothing else.
 * `close` leaves the client open: it may serve others.
 */
export function openRegistry(address: RegistryAddress, options: RegistryOptions): Destination {
  const plain = connection(address, {
    http: options.http,
    credentials: options.credentials,
    allowedRealms: options.allowedRealms ?? [],
    monotonic: options.monotonic ?? (() => performance.now()),
  })
  const registry = options.breaker === undefined ? plain : breaker(plain, options.breaker)
  const attached = referrers(registry)
  return {
    head: (repository, reference, signal) => headManifest(registry, repository, reference, signal),
    manifest: (repository, reference, signal) => getManifest(registry, repository, reference, signal),
    blob: (repository, blob, offset, signal) => getBlob(registry, repository, blob, offset, signal),
    referrers: attached.list,
    tags: (repository, signal) => tags(registry, repository, signal),
    repositories: (signal) => repositories(registry, signal),
    hasBlob: (repository, digest, signal) => hasBlob(registry, repository, digest, signal),
    putBlob: blobUploads(registry, options),
    putManifest: async (repository, reference, manifest, signal) => {
      const answer = await sendManifest(registry, repository, reference, manifest, signal)
      if (answer.header('oci-subject') === undefined) await attached.record(repository, manifest, signal)
    },
    deleteTag: (repository, tag, digest, how) => deleteTag(registry, repository, tag, digest, how),
    close: async () => {},
  }
}
