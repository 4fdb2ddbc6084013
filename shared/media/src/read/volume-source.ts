/** A regular file of a volume. */
export interface VolumeFile {
  /** Relative to the volume's directory; safe by `isSafePath`. */
  readonly path: string
  /** Bytes. */
  readonly size: number
  /**
   * Its bytes, exactly `size` of them, in chunks of at most 1 MiB; a chunk is valid until the next one is asked for. To be
   * called once, before the next file is asked for. Throws SIZE_MISMATCH, ARCHIVE_MALFORMED, PERMISSION_DENIED, IO_FAILED.
   */
  chunks(signal?: AbortSignal): AsyncIterable<Buffer>
}

/** One volume of a set, however it came: as a directory, in an ISO 9660 image, in a tar stream. Nothing in it is proven yet. */
export interface VolumeSource {
  /** Name of the volume's directory, or of the image without `.iso`. */
  readonly name: string
  /** Where it is, for messages. */
  readonly place: string
  /** True where `files` may be called again, and after the next volume was asked for, until `close`; false for what streams by. */
  readonly replayable: boolean
  /**
   * Its files. Of directories and images SHA256SUMS, its signatures and `volume.json` (also `.gpg`, `.age`) come first, then
   * the others, sorted by byte; of a stream they come as they are in it. What is not read is passed over.
   * Throws VOLUME_INVALID, FILE_UNEXPECTED (what is no regular file), PATH_UNSAFE, ARCHIVE_MALFORMED, ARCHIVE_ENTRY_REFUSED, IO_FAILED.
   */
  files(): AsyncIterable<VolumeFile>
  /** Lets go of what was opened for it. Of a stream it leaves the rest unread. */
  close(): Promise<void>
}
