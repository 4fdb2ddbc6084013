import type { FileHandle } from 'node:fs/promises'
import { openForReading } from './open-for-reading.ts'
import { type ArchiveEntry, parseArchive } from './parse-archive.ts'
import type { ReadOptions } from './read-entries.ts'

/** What is called while an archive passes by. A chunk is valid until the hook that got it is done. */
export interface ArchiveVisitor {
  /** Every byte of the file, in order and before it is understood. */
  readonly onBytes?: (chunk: Buffer) => void | Promise<void>
  readonly onEntry?: (entry: ArchiveEntry) => void | Promise<void>
  /** The data of the entry, in order; not called for an empty one. */
  readonly onData?: (entry: ArchiveEntry, chunk: Buffer) => void | Promise<void>
  /** All data of the entry has passed. */
  readonly onEntryEnd?: (entry: ArchiveEntry) => void | Promise<void>
}

/**
 * Reads every byte of an archive once, strictly, and hands it to the visitor as archive and as entries: so the digests of both
 * come from the same bytes. Nothing that was handed out is to be trusted until this is fulfilled.
 * Throws as `readEntries` does, and what a hook throws.
 */
export async function walkArchive(
  source: string | FileHandle,
  visitor: ArchiveVisitor,
  options: ReadOptions = {},
): Promise<void> {
  const archive = await openForReading(source, options.size, options.name)
  try {
    const parser = parseArchive(archive.size, archive.file, options.dialect)
    let step = parser.next()
    let kept: Buffer[] = []
    let missing = step.done === true ? 0 : step.value.length

    /** Answers every request that needs no more bytes, and announces the entries. */
    const answer = async () => {
      while (step.done !== true && missing === 0) {
        const request = step.value
        if (request.want === 'data') await visitor.onEntryEnd?.(request.entry)
        step = parser.next(kept.length === 1 ? kept[0]! : Buffer.concat(kept))
        kept = []
        if (step.done === true) return
        missing = step.value.length
        if (step.value.want === 'data') await visitor.onEntry?.(step.value.entry)
      }
    }

    for await (const chunk of archive.chunks(archive.size, options.signal)) {
      await visitor.onBytes?.(chunk)
      let at = 0
      while (at < chunk.length && step.done !== true) {
        const part = chunk.subarray(at, at + missing)
        at += part.length
        missing -= part.length
        if (step.value.want === 'data') await visitor.onData?.(step.value.entry, part)
        // The chunk's buffer is used again: what is not complete in it has to be copied.
        else kept.push(missing === 0 ? part : Buffer.from(part))
        await answer()
      }
    }
  } finally {
    await archive.close()
  }
}
