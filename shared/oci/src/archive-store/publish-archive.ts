import { join } from 'node:path'
import { publishFile, removeTree } from '@carryall/durable'
import { CarryallError, isCarryallError } from '@carryall/errors'
import type { BlobReader } from '../layout/blob-reader.ts'
import type { LayoutIndex } from '../layout/layout-index.ts'
import type { ManifestFacts } from '../layout/manifest-facts.ts'
import { archiveContents } from './archive-contents.ts'
import type { ArchiveFile } from './archive-file.ts'
import { publishedIndex } from './published-index.ts'
import type { Staging } from './staging.ts'
import { writeArchive } from './write-archive.ts'

/** What an archive is made of. */
export interface ArchiveParts {
  readonly file: string
  readonly index: LayoutIndex
  readonly blobs: BlobReader
  readonly facts: ManifestFacts
  readonly staging: Staging
  /** What is there already and is to be replaced. */
  readonly base: ArchiveFile | undefined
}

/**
 * Writes the archive of an index and gives it its name by one rename. Throws OUTPUT_EXISTS where another program has written
 * to that name since, DIGEST_MISMATCH, SIZE_MISMATCH, IO_*; nothing has changed then.
 */
export async function publishArchive(parts: ArchiveParts, signal: AbortSignal | undefined): Promise<void> {
  const { file, index, blobs, facts, staging, base } = parts
  const staged = join(staging.directory, 'archive.tar')
  try {
    const contents = await archiveContents(await publishedIndex(index, facts), { blobs, facts, base })
    await writeArchive(staged, contents, blobs, signal)
    if ((await base?.isCurrent()) === false) throw replaced(file)
    await publishFile(staged, file, { replace: base !== undefined })
  } catch (error) {
    await removeTree(staged)
    throw await explained(error, parts)
  }
}

/** Says where a blob is that does not hash: it counts as present, so that no run fetches it again. */
async function explained(error: unknown, { file, staging, base }: ArchiveParts): Promise<unknown> {
  if (!isCarryallError(error, 'DIGEST_MISMATCH', 'SIZE_MISMATCH', 'ARCHIVE_MALFORMED')) return error
  if ((await base?.isCurrent()) === false) return replaced(file, error)
  const digest = error.details.subject?.digest ?? ''
  const place = (await staging.blobs.size(digest)) === undefined ? file : staging.directory
  return new CarryallError(error.code, `Cannot publish ${file}: ${error.message}`, {
    ...error.details,
    hint: `"${place}" is damaged; remove it and run the same command again`,
    cause: error,
  })
}

function replaced(file: string, cause?: unknown): CarryallError {
  return new CarryallError(
    'OUTPUT_EXISTS',
    `Cannot replace ${file}: another program has changed it meanwhile`,
    {
      subject: { kind: 'file', name: file },
      hint: 'Run the same command again: it goes on from the new file and sends no blob twice',
      cause,
    },
  )
}
