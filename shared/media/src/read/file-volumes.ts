import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { readChunks } from '@carryall/durable'
import { fromSystemError } from '@carryall/errors'
import { imageVolumes } from './iso/image-volumes.ts'
import { IDENTIFIER, IDENTIFIER_AT } from './iso/root-record.ts'
import { tarVolumes } from './tar-volumes.ts'
import { volumeInvalid } from './volume-invalid.ts'
import type { VolumeSource } from './volume-source.ts'

const USTAR_AT = 257

/** The volumes of a file or block device, told by its content: an ISO 9660 image, or a tar archive. Throws VOLUME_INVALID for others. */
export async function* fileVolumes(
  path: string,
  signal?: AbortSignal,
): AsyncGenerator<VolumeSource, void, undefined> {
  await using handle = await opened(path)
  if ((await bytesAt(handle, path, IDENTIFIER_AT, 5)) === IDENTIFIER) {
    yield* imageVolumes(path, signal)
  } else if ((await bytesAt(handle, path, USTAR_AT, 5)) === 'ustar') {
    const { size } = await handle.stat()
    yield* tarVolumes(readChunks(handle, 0, size), path, signal)
  } else {
    throw volumeInvalid('it is neither an ISO 9660 image nor a tar archive', path, {
      hint: 'Name a directory, an ISO image or an uncompressed tar archive with volumes',
    })
  }
}

async function opened(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    throw fromSystemError(error, `read ${path}`, { subject: { kind: 'file', name: path } })
  }
}

async function bytesAt(handle: FileHandle, path: string, position: number, length: number): Promise<string> {
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position)
    return buffer.toString('latin1', 0, bytesRead)
  } catch (error) {
    throw fromSystemError(error, `read ${path}`, { subject: { kind: 'file', name: path } })
  }
}
