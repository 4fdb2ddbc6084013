import { createHash } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, read, readdirSync, readSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { CarryallError, fromSystemError } from '@carryall/errors'
import { plainYaml, readDocuments } from '@carryall/schemas/text'

const METADATA = /^(seq|export|release)-metadata\.yaml$/
const MAX_METADATA = 16 * 1024 * 1024
/** Handing a read to another thread takes five times what such a one takes, and a chain has thousands of them. */
const TINY = 64 * 1024

/** A shipment's metadata as its file has it; no schema has looked at it. */
export interface MetadataFile {
  /** Absolute. */
  readonly directory: string
  readonly metadataFile: string
  /** sha256 of the file's bytes: that is the shipment's identity. */
  readonly metadataDigest: string
  readonly kind: string
  /** As parsed from the file, for the schema of its own kind. */
  readonly value: unknown
}

/**
 * Reads the one metadata file of a shipment's directory. Throws INPUT_NOT_FOUND where the directory is none,
 * INDEX_MISMATCH where there are two, INPUT_SYNTAX, SCHEMA_INVALID where it does not say its kind. `likely` is what may be
 * in it: where that is printed as the file's very bytes, it is what they say, and need not be parsed out of them.
 */
export async function readMetadataFile(directory: string, likely?: unknown): Promise<MetadataFile> {
  const path = resolve(directory)
  const found = list(path).filter((name) => METADATA.test(name))
  if (found.length > 1)
    throw new CarryallError('INDEX_MISMATCH', `${path} has more than one metadata file: ${found.join(', ')}`)
  const metadataFile = found[0]
  if (metadataFile === undefined) {
    throw new CarryallError(
      'INPUT_NOT_FOUND',
      `${path} is not a shipment: it has no seq-, export- or release-metadata.yaml`,
      {
        subject: { kind: 'file', name: path },
        hint: 'Name a directory such as content/seq1-baseline',
      },
    )
  }
  const file = join(path, metadataFile)
  const bytes = await readSmall(file)
  const value =
    likely !== undefined && plainYaml(likely) === bytes.toString('utf8')
      ? likely
      : readDocuments(bytes, file)[0]
  const kind = (value as { kind?: unknown } | null)?.kind
  if (typeof kind !== 'string') {
    throw new CarryallError('SCHEMA_INVALID', `${file} does not say its "kind"`, {
      pointer: '#/kind',
      location: { file },
      hint: 'It was not written by carryall; the archives beside it can be pushed by naming the directory to seq-push',
    })
  }
  return { directory: path, metadataFile, metadataDigest: digestOf(bytes), kind, value }
}

/** `sha256:<hex>` of bytes. */
export function digestOf(bytes: Buffer | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/** A metadata or index file, read whole; `limit` in bytes. Symbolic links are not followed. */
export async function readSmall(file: string, limit = MAX_METADATA): Promise<Buffer> {
  try {
    // Not to wait: nobody may ever write to a pipe that lies there.
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants
    const descriptor = openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    try {
      const stats = fstatSync(descriptor)
      if (!stats.isFile()) throw new CarryallError('FILE_UNEXPECTED', `${file} is not a regular file`)
      const { size } = stats
      if (size > limit)
        throw new CarryallError('INPUT_TOO_LARGE', `${file} has ${size} bytes; at most ${limit} are read`)
      return await readWhole(descriptor, size)
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    throw fromSystemError(error, `read ${file}`, { subject: { kind: 'file', name: basename(file) } })
  }
}

const readFrom = promisify(read)

async function readWhole(descriptor: number, size: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(size)
  let filled = 0
  while (filled < size) {
    const bytesRead =
      size <= TINY
        ? readSync(descriptor, bytes, filled, size - filled, filled)
        : (await readFrom(descriptor, bytes, filled, size - filled, filled)).bytesRead
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return bytes.subarray(0, filled)
}

function list(path: string): readonly string[] {
  try {
    return readdirSync(path).sort()
  } catch (error) {
    throw fromSystemError(error, `open ${path}`, { subject: { kind: 'file', name: path } })
  }
}
