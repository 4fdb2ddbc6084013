import { join } from 'node:path'
import { removeTree } from '@carryall/durable'
import {
  FinishedPrefix,
  followDigest,
  openArchive,
  type ArchivePlan,
  type ArchiveWriter,
  type DigestFollower,
} from '@carryall/archive'
import type { HeldBlob, MirrorPlan } from '@carryall/schemas'
import { blobEntry, describedLayout, linkEntries } from '@carryall/sequence'

/** The archives of a run, with their framing on disk and their digests taken behind what is written. */
export interface StagedArchives {
  /** Held blobs in the order of the archives. */
  readonly blobs: readonly HeldBlob[]
  pathOf(blob: HeldBlob): string
  write(blob: HeldBlob, position: number, chunk: Buffer): Promise<void>
  /** The blob is whole and proven. */
  finish(blob: HeldBlob): void
  /** All blobs are whole: makes the archives durable and gives each one's sha256 (hex) by name. Throws IO_FAILED, IO_NO_SPACE. */
  close(): Promise<ReadonlyMap<string, string>>
  /** Keeps what is there, for another run; but not an archive that cannot be made durable. */
  abandon(): Promise<void>
}

type Layout = Pick<MirrorPlan, 'images' | 'blobs' | 'archives'>

interface Staged {
  readonly plan: ArchivePlan
  readonly writer: ArchiveWriter
  readonly prefix: FinishedPrefix
  readonly digest: DigestFollower
  closed: boolean
}

/** Opens the archives of a plan in `directory` and writes everything but the blobs. What a former run left there stays. */
export async function stageArchives(plan: Layout, directory: string): Promise<StagedArchives> {
  const held = plan.blobs.filter((blob): blob is HeldBlob => 'archive' in blob)
  const archives = new Map<string, Staged>()
  const abandon = (): Promise<void> => closeAll(archives.values())
  try {
    for (const archive of describedLayout(plan.images, held, plan.archives)) {
      const path = join(directory, archive.name)
      const writer = await openArchive(path, archive)
      archives.set(archive.name, {
        plan: archive,
        writer,
        prefix: new FinishedPrefix(archive),
        digest: followDigest(path, archive.size),
        closed: false,
      })
    }
    await writeLinks(plan, [...archives.values()])
  } catch (error) {
    await abandon().catch(() => undefined)
    throw error
  }
  const at = (blob: HeldBlob): Staged => archives.get(blob.archive)!
  return {
    blobs: [...held].sort((a, b) =>
      a.archive === b.archive ? a.offset - b.offset : a.archive < b.archive ? -1 : 1,
    ),
    pathOf: (blob) => join(directory, blob.archive),
    write: (blob, position, chunk) => at(blob).writer.write(blob.offset + position, chunk),
    finish: (blob) => at(blob).digest.advance(at(blob).prefix.finish(blobEntry(blob.digest))),
    async close() {
      const sums = new Map<string, string>()
      for (const [name, archive] of archives) {
        await closeDurably(archive)
        sums.set(name, (await archive.digest.finish()).slice('sha256:'.length))
      }
      return sums
    },
    abandon,
  }
}

/** Closes those that are open, all of them; the first failure is thrown. */
async function closeAll(archives: Iterable<Staged>): Promise<void> {
  const failures: unknown[] = []
  for (const archive of archives) {
    archive.digest.cancel()
    if (!archive.closed) await closeDurably(archive).catch((error: unknown) => failures.push(error))
  }
  if (failures.length > 0) throw failures[0]
}

/**
 * After a sync that failed, the cache may show what the disk never got, and a second sync would not tell. So the archive
 * goes: the next run, which proves by reading what it keeps, must not find it.
 */
async function closeDurably(archive: Staged): Promise<void> {
  archive.closed = true
  try {
    await archive.writer.close()
  } catch (error) {
    await removeTree(archive.writer.path).catch(() => undefined)
    throw error
  }
}

async function writeLinks(plan: Layout, archives: readonly Staged[]): Promise<void> {
  const links = linkEntries(plan.images)
  for (const { plan: archive, writer, prefix, digest } of archives) {
    for (const entry of archive.entries) {
      const link = links.get(entry.name)
      if (link === undefined) continue
      await writer.write(entry.offset, Buffer.from(link))
      digest.advance(prefix.finish(entry.name))
    }
  }
}
