import type { Descriptor } from '@carryall/schemas'
import type { OpenBlob } from '../store.ts'
import { sizeMismatch } from '../verified.ts'

/** The bytes of a blob as the requests of an upload need them. */
export interface UploadSource {
  /**
   * The bytes from `from` up to `to`, opened for each call: a source that stayed open between two requests would keep a
   * connection from those that wait for it, and the request might wait for them. Up to the end of the blob it is read to
   * its own end, where it proves what it gave. `handed` is told how far the bytes go that are handed out.
   */
  range(from: number, to: number, handed: (end: number) => void): AsyncIterable<Buffer>
  /** True for an error that came out of the source, and not from the registry. */
  threw(error: unknown): boolean
}

/** Reads `open` from the offset, where it can begin there, else from the first byte to nowhere. */
export function uploadSource(blob: Descriptor, open: OpenBlob, seekable: boolean): UploadSource {
  const thrown: unknown[] = []
  return {
    async *range(from, to, handed) {
      let at = seekable ? from : 0
      try {
        for await (const chunk of open(at)) {
          const part = chunk.subarray(Math.min(Math.max(from - at, 0), chunk.length), Math.max(to - at, 0))
          at += chunk.length
          if (at > blob.size) throw sizeMismatch(blob, at)
          if (part.length > 0) {
            handed(Math.min(at, to))
            yield part
          }
          if (at >= to && to < blob.size) return
        }
        if (at !== blob.size) throw sizeMismatch(blob, at)
      } catch (error) {
        thrown.push(error)
        throw error
      }
    },
    threw: (error) => thrown.includes(error),
  }
}
