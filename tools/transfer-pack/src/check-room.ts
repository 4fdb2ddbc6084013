import { access, constants, lstat, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { CarryallError, fromSystemError } from '@carryall/errors'
import { checkNames, fileSystem, mediumOfDirectory, takenBytes } from '@carryall/media'
import { humanSize, type Medium } from '@carryall/schemas'
import { existing } from './hold-out.ts'
import type { PlannedFile } from './volume-job.ts'

const SHARES_DATA = new Set(['btrfs', 'xfs'])

/**
 * Refuses files for which there is no room below `out`, or which the file system there cannot hold, before anything is written: a
 * tree for each volume. What is in `staged` already counts. Throws IO_NO_SPACE (74), MEDIA_NAME_REFUSED, MEDIA_TOO_SMALL (73).
 */
export async function checkRoom(
  out: string,
  trees: readonly (readonly PlannedFile[])[],
  staged: readonly string[],
  shared: SharedFiles | undefined,
): Promise<void> {
  const place = await existing(out)
  // A medium that is read-only says that it is full, which is not what is wrong.
  await access(place, constants.W_OK).catch((error: unknown) => {
    throw fromSystemError(error, `write to ${place}`, { subject: { kind: 'file', name: place } })
  })
  const medium = await mediumOfDirectory(place, 0)
  const system = fileSystem(medium.filesystem)
  for (const files of trees) {
    checkNames(
      files.map((file) => file.path),
      system,
    )
    for (const { path, size } of files)
      if (size > system.maxFileBytes) throw tooLarge(path, size, system.maxFileBytes, medium)
  }
  if (shared !== undefined && (await sharesData(place, medium, shared))) return
  const needed = trees.reduce((sum, files) => sum + takenBytes(medium, files), 0) - (await bytesIn(staged))
  const available = medium.capacity_bytes ?? Infinity
  if (needed <= available) return
  throw new CarryallError(
    'IO_NO_SPACE',
    `Nothing was written: ${place} needs ${humanSize(needed)} more; ${humanSize(available)} are free`,
    {
      subject: { kind: 'file', name: place },
      expected: needed,
      actual: available,
      hint: 'Free space there, name the volume for this medium with --volume N, or plan for smaller media',
    },
  )
}

/** Whole files that may share their data with what is written. */
export interface SharedFiles {
  readonly link: 'reflink' | 'hard'
  readonly paths: readonly string[]
}

/** Where blocks are shared with the sources, as good as nothing is needed. */
async function sharesData(
  place: string,
  { filesystem }: Medium,
  { link, paths }: SharedFiles,
): Promise<boolean> {
  if (link === 'reflink' && !SHARES_DATA.has(filesystem)) return false
  const { dev } = await stat(place)
  for (const path of paths) if ((await stat(path)).dev !== dev) return false
  return true
}

async function bytesIn(directories: readonly string[]): Promise<number> {
  let bytes = 0
  for (const directory of directories)
    for (const entry of await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []))
      if (entry.isFile()) bytes += (await lstat(join(entry.parentPath, entry.name))).size
  return bytes
}

function tooLarge(path: string, size: number, limit: number, { filesystem }: Medium): CarryallError {
  return new CarryallError('MEDIA_TOO_SMALL', `${filesystem} cannot hold ${path}: it takes ${size} bytes`, {
    subject: { kind: 'file', name: path },
    expected: limit,
    actual: size,
    hint: `Plan for it: transfer-plan --filesystem ${filesystem}`,
  })
}
