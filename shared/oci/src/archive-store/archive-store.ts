import type { Destination, Source } from '../store.ts'

/** An OCI archive that is read as it is, nothing unpacked. */
export interface ArchiveSource extends Source {
  /** Closes the file. */
  close(): Promise<void>
}

/**
 * An OCI archive that is being made or extended: what is written waits in a staging directory beside the file until it is
 * published. `close` without `publish` keeps the staging, and the next run goes on with what is whole in it.
 */
export interface ArchiveStore extends Destination {
  /**
   * Makes everything that was written the archive, which appears or is replaced by one rename, and removes the staging. True
   * where the file is another one now. Every blob is hashed once more on its way. Called once, when nothing is being
   * written any more; then only `close` may follow. Throws DIGEST_MISMATCH, SIZE_MISMATCH, IO_*, OUTPUT_NOT_WRITABLE; the
   * file is as it was then.
   */
  publish(signal?: AbortSignal): Promise<boolean>
}
