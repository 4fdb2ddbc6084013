import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import type { PlannedVolume } from '@carryall/schemas'
import { checkRoom, type SharedFiles } from './check-room.ts'
import type { PackFlags } from './command.ts'
import { stagingName } from './directory-staging.ts'
import { imageSize } from './image-size.ts'
import type { PackOptions } from './pack.ts'
import { plannedFiles, type PlannedFile, type VolumeJob } from './volume-job.ts'

/**
 * What has to be true before the first byte is written: the files are there as planned, their names and sizes are possible there, and there is
 * room. Throws FILE_MISSING, SIZE_MISMATCH, INDEX_MISMATCH (82), MEDIA_NAME_REFUSED, MEDIA_TOO_SMALL (73), IO_NO_SPACE (74).
 */
export async function prove(
  out: string | undefined,
  volumes: readonly PlannedVolume[],
  flags: Pick<PackFlags, 'iso' | 'force'>,
  options: PackOptions,
): Promise<void> {
  const { jobs, sources, encryptor } = options
  await sources.check(jobs.flatMap((job) => job.entries))
  if (out === undefined) return
  const todo: VolumeJob[] = []
  const trees: (readonly PlannedFile[])[] = []
  for (const [index, job] of jobs.entries()) {
    const image = `${job.name}.iso`
    const files = plannedFiles(job, encryptor)
    const tree = flags.iso ? [{ path: image, size: imageSize(files, volumes[index]!.medium) }] : files
    const isThere =
      (await lstat(join(out, flags.iso ? image : job.name)).catch(() => undefined)) !== undefined
    if (isThere && !flags.force) continue
    todo.push(job)
    trees.push(tree)
  }
  const staged = flags.iso ? [] : todo.map((job) => join(out, stagingName(job)))
  await checkRoom(out, trees, staged, flags.iso ? undefined : sharedFiles(todo, options))
}

/** Files that may be linked, where all of the content may be. */
function sharedFiles(
  todo: readonly VolumeJob[],
  { link, encryptor, sources }: PackOptions,
): SharedFiles | undefined {
  const entries = todo.flatMap((job) => job.entries)
  if (link === 'never' || encryptor !== undefined || entries.some((entry) => entry.part !== undefined))
    return undefined
  return { link, paths: entries.map((entry) => sources.pathOf(entry)) }
}
