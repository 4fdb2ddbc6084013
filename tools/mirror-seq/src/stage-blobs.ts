import { join } from 'node:path'
import { FinishedPrefix, followDigest, openArchive, type ArchivePlan, type ArchiveWriter, type DigestFollower } from '@carryall/archive'
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
  /** All blobs are whole: makes the archives durable and gives each one's sha256 (hex) by name. */
  close(): Promise<ReadonlyMap<string, string>>
  /** Keeps what is there, for another run. */
  abandon(): Promise<void>
}

interface Staged {
  readonly plan: ArchivePlan
  readonly writer: ArchiveWriter
  readonly prefix: FinishedPrefix
  readonly digest: DigestFollower
}

/** Opens the archives of a plan in `directory` and writes everything but the blobs. What a former run left there stays. */
export async function stageArchives(plan: MirrorPlan, directory: string): Promise<StagedArchives> {
  const held = plan.blobs.filter((blob): blob is HeldBlob => 'archive' in blob)
  const archives = new Map<string, Staged>()
  for (const archive of describedLayout(plan.images, held, plan.archives)) {
    const path = join(directory, archive.name)
    archives.set(archive.name, {
      plan: archive,
      writer: await openArchive(path, archive),
      prefix: new FinishedPrefix(archive),
      digest: followDigest(path, archive.size),
    })
  }
  await writeLinks(plan, [...archives.values()])
  const at = (blob: HeldBlob): Staged => archives.get(blob.archive)!
  return {
    blobs: [...held].sort((a, b) => (a.archive === b.archive ? a.offset - b.offset : a.archive < b.archive ? -1 : 1)),
    pathOf: (blob) => join(directory, blob.archive),
    write: (blob, position, chunk) => at(blob).writer.write(blob.offset + position, chunk),
    finish: (blob) => at(blob).digest.advance(at(blob).prefix.finish(blobEntry(blob.digest))),
    async close() {
      const sums = new Map<string, string>()
      for (const [name, { writer, digest }] of archives) {
        await writer.close()
        sums.set(name, (await digest.finish()).slice('sha256:'.length))
      }
      return sums
    },
    async abandon() {
      for (const { writer, digest } of archives.values()) {
        digest.cancel()
        await writer.close()
      }
    },
  }
}

async function writeLinks(plan: MirrorPlan, archives: readonly Staged[]): Promise<void> {
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
