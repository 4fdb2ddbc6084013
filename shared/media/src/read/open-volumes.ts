import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { CarryallError, fromSystemError } from '@carryall/errors'
import { fileVolumes } from './file-volumes.ts'
import { mediumVolumes } from './medium-volumes.ts'
import { tarVolumes } from './tar-volumes.ts'
import { volumeInvalid } from './volume-invalid.ts'
import type { VolumeSource } from './volume-source.ts'

export interface OpenVolumesOptions {
  readonly signal?: AbortSignal | undefined
}

const STREAM = 'the stream'

/**
 * The volumes that an operand holds, one after the other: a volume's directory; a directory of volumes and of `*.iso` files, where
 * anything else is ignored; an ISO 9660 image or a block device with one; a tar archive by path or as a stream, whose volumes are under directories
 * with their names. At least one. Throws INPUT_NOT_FOUND, also for a directory without any; VOLUME_INVALID for a file that is none of these
 * or holds none; FILE_UNEXPECTED,
 * PATH_UNSAFE, ARCHIVE_MALFORMED, ARCHIVE_ENTRY_REFUSED, PERMISSION_DENIED, IO_FAILED.
 */
export async function* openVolumes(
  operand: string | Readable,
  { signal }: OpenVolumesOptions = {},
): AsyncGenerator<VolumeSource, void, undefined> {
  signal?.throwIfAborted()
  const place = typeof operand === 'string' ? operand : STREAM
  let found = false
  for await (const volume of await volumesOf(operand, signal)) {
    found = true
    yield volume
  }
  if (found) return
  if (typeof operand === 'string' && (await followed(operand)).isDirectory()) {
    throw new CarryallError('INPUT_NOT_FOUND', `There is no volume in ${place}`, {
      subject: { kind: 'file', name: place },
      hint: 'Name the medium, or a directory named carryall-… on it, as transfer-pack wrote it',
    })
  }
  throw volumeInvalid('there is no volume in it', place, {
    hint: 'Name an image made with Rock Ridge (mkisofs -R) or a tar archive that holds directories named carryall-…, as transfer-pack wrote them',
  })
}

async function volumesOf(
  operand: string | Readable,
  signal?: AbortSignal,
): Promise<AsyncIterable<VolumeSource>> {
  if (typeof operand !== 'string') return tarVolumes(operand, STREAM, signal)
  const stats = await followed(operand)
  if (stats.isDirectory()) return mediumVolumes(operand, signal)
  if (stats.isFile() || stats.isBlockDevice()) return fileVolumes(operand, signal)
  throw volumeInvalid('it is no directory, file or block device', operand, {
    hint: 'Pipe a tar stream into standard input',
  })
}

/** The operand is the operator's own word: it may be a link. */
async function followed(path: string): Promise<Stats> {
  try {
    return await stat(path)
  } catch (error) {
    throw fromSystemError(error, `read ${path}`, {
      hint: 'Name a directory, an ISO image or a tar archive with volumes, or - for a tar stream',
      subject: { kind: 'file', name: path },
    })
  }
}
