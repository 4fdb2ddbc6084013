import type { Descriptor } from '@carryall/schemas'

/** A manifest or index exactly as it was served: `digest` is the sha256 of `bytes`, `mediaType` what both sides agreed on. */
export interface Manifest {
  readonly digest: string
  readonly mediaType: string
  readonly bytes: Buffer
}

/**
 * Where content is read from: a registry, an OCI image layout, a content directory of sequences.
 * Implementations are interchangeable; `storeSuite` is the test that each of them passes.
 */
export interface Source {
  /** Digest, media type and size behind a tag or digest; undefined where there is none. Throws AUTH_*, NET_*, REG_PROTOCOL. */
  head(repository: string, reference: string, signal?: AbortSignal): Promise<Descriptor | undefined>

  /**
   * The manifest behind a tag or digest, at most 4 MiB, its digest checked against the bytes and against `reference` if
   * that is one. Throws REG_MANIFEST_UNKNOWN, DIGEST_MISMATCH, REG_AMBIGUOUS_MANIFEST.
   */
  manifest(repository: string, reference: string, signal?: AbortSignal): Promise<Manifest>

  /**
   * The bytes of a blob from `offset` (default 0) to its end, unverified: pass them through `verified`.
   * A chunk is valid until the next one is asked for: its buffer is used again.
   * Ends early or throws NET_* when the connection breaks; the caller decides whether to go on at another offset.
   */
  blob(repository: string, blob: Descriptor, offset?: number, signal?: AbortSignal): AsyncIterable<Buffer>

  /**
   * Descriptors of the manifests whose `subject` is `digest` (distribution-spec: referrers, with the tag fallback).
   * `tags`, where all tags of the repository are known, spares asking for a fallback tag that is not there.
   */
  referrers(
    repository: string,
    digest: string,
    signal?: AbortSignal,
    tags?: ReadonlySet<string>,
  ): Promise<readonly Descriptor[]>

  /** Tags of a repository, in the store's order; none if the repository does not exist. */
  tags(repository: string, signal?: AbortSignal): AsyncIterable<string>

  /** Names of all repositories. */
  repositories(signal?: AbortSignal): AsyncIterable<string>
}

export type BlobOutcome = 'present' | 'mounted' | 'uploaded'

/** The bytes of a blob, from `offset` on where the option `seekable` says so, else always from the first one. */
export type OpenBlob = (offset?: number) => AsyncIterable<Buffer>

export interface PutBlobOptions {
  /** A repository of the same destination that may hold the blob. */
  readonly mountFrom?: string
  /** True where `open` begins at the offset that it is given, as that of `blobOpener` does. */
  readonly seekable?: boolean
  readonly signal?: AbortSignal
}

export interface DeleteTagOptions {
  /**
   * Nothing that stays needs the manifest: neither another tag of the repository nor an index in it. Only then may it go
   * with its tag, which is the one way to remove a tag from a registry that deletes manifests, not tags.
   */
  readonly manifestMayGo?: boolean
  readonly signal?: AbortSignal
}

/** Where content is written to. Every write is idempotent; nothing is visible under its digest before it hashes. */
export interface Destination extends Source {
  hasBlob(repository: string, digest: string, signal?: AbortSignal): Promise<boolean>

  /**
   * Makes a blob available in `repository`: present already, mounted from `mountFrom`, or uploaded from `open`, which is
   * called only when the destination is ready to take bytes, and called again for a retry or, at another offset, to go on
   * where an upload broke off. `open` must verify what it yields. Throws AUTH_*, NET_*, REG_REFUSED and whatever `open` throws.
   */
  putBlob(
    repository: string,
    blob: Descriptor,
    open: OpenBlob,
    options?: PutBlobOptions,
  ): Promise<BlobOutcome>

  /**
   * Writes a manifest under a tag or its digest. Where it has a `subject` and the registry does not answer with
   * `OCI-Subject`, the referrers fallback tag is kept right. Throws REG_REFUSED with the registry's own code.
   */
  putManifest(repository: string, reference: string, manifest: Manifest, signal?: AbortSignal): Promise<void>

  /**
   * Removes a tag that names `digest`, which is looked at right before (distribution-spec: deleting tags). Where a registry
   * removes manifests only, all tags of the manifest go at once, and those deleted next are `absent`. Throws TAG_CONFLICT
   * where the tag names another digest by now or is immutable, and REG_REFUSED where nothing may be deleted, or only by
   * way of a manifest that has to stay.
   */
  deleteTag(
    repository: string,
    tag: string,
    digest: string,
    options?: DeleteTagOptions,
  ): Promise<'deleted' | 'absent'>

  /** Releases connections or locks. Called once. */
  close(): Promise<void>
}
