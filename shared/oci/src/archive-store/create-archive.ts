import { realpath } from 'node:fs/promises'
import { resolve } from 'node:path'
import { CarryallError, fromSystemError, isCarryallError } from '@carryall/errors'
import { layoutDestination } from '../layout/layout-destination.ts'
import { printIndex } from '../layout/layout-index.ts'
import { ManifestFacts } from '../layout/manifest-facts.ts'
import { type ArchiveFile, openArchiveFile } from './archive-file.ts'
import { archiveRepository } from './archive-repository.ts'
import type { ArchiveStore } from './archive-store.ts'
import { publishArchive } from './publish-archive.ts'
import { StagedBlobs } from './staged-blobs.ts'
import { type ArchiveOptions, openStaging, unmarked } from './staging.ts'

/**
 * Opens an OCI archive to be written, new or with all the images that it has. Nothing of it changes before `publish`: what is
 * written waits in `.NAME.carryall` beside it, durable, and a run after one that was killed finds it there. One writer at a time.
 * Throws LOCK_HELD, OUTPUT_NOT_WRITABLE, IO_*, CONFIG_UNSUPPORTED for an archive with
 * blobs that are not named by sha256, and what `openArchiveFile` throws for a file that is no OCI archive.
 */
export async function createArchive(file: string, options: ArchiveOptions = {}): Promise<ArchiveStore> {
  const path = await targetOf(resolve(file))
  const own = archiveRepository(file)
  const staging = await openStaging(path, options)
  let base: ArchiveFile | undefined
  try {
    base = await openArchiveFile(path, own).catch((error: unknown) => {
      if (isCarryallError(error, 'INPUT_NOT_FOUND')) return undefined
      throw error
    })
    if (base?.otherBlobs === true) throw cannotKeep(path)
    const index = await staging.index(base, own)
    const blobs = new StagedBlobs(staging.blobs, base?.blobs)
    const facts = new ManifestFacts(blobs)
    const parts = { name: path, index, blobs, facts, writable: () => undefined }

    let closed: Promise<void> | undefined
    const close = async (): Promise<void> => {
      await index.settled()
      await base?.close()
      await staging.release()
    }

    return {
      ...layoutDestination(parts),

      async publish(signal) {
        await index.settled()
        const wanted = unmarked(await index.read())
        const changed = base === undefined || printIndex(wanted) !== printIndex(base.index)
        if (changed) await publishArchive({ file: path, index: wanted, blobs, facts, staging, base }, signal)
        await staging.remove()
        return changed
      },

      close: () => (closed ??= close()),
    }
  } catch (error) {
    await base?.close()
    await staging.release()
    throw error
  }
}

/** What a name leads to: a link stays one, and the staging is on the file system of the archive. */
async function targetOf(file: string): Promise<string> {
  try {
    return await realpath(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return file
    throw fromSystemError(error, `write ${file}`)
  }
}

function cannotKeep(file: string): CarryallError {
  return new CarryallError(
    'CONFIG_UNSUPPORTED',
    `Cannot extend ${file}: it has blobs that are not named by their sha256`,
    {
      subject: { kind: 'file', name: file },
      hint: 'Write to another archive; this one can be read as far as its images are named by sha256',
    },
  )
}
