import { hash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { readEntries } from '@carryall/archive'
import { CarryallError, fromSystemError, isCarryallError } from '@carryall/errors'
import { checkVersion } from '../layout/layout-version.ts'
import { type LayoutIndex, MAX_INDEX, parseIndex } from '../layout/layout-index.ts'
import { compressedWith } from './compressed-with.ts'
import { bytesAt, type Span, TarBlobs } from './tar-blobs.ts'

const BLOB = /^blobs\/sha256\/([0-9a-f]{64})$/
const OTHER_BLOB = /^blobs\/(?!sha256\/)[^/]+\/[^/]+$/
const MAX_VERSION = 4096

/** An OCI archive that is open, as its headers describe it. No blob has been looked at. */
export interface ArchiveFile {
  readonly index: LayoutIndex
  /** sha256 of index.json: what is the same here has the same images. */
  readonly indexDigest: string
  readonly blobs: TarBlobs
  /** True where there are blobs under digests of another algorithm, which are not read. */
  readonly otherBlobs: boolean
  /** True while the name still leads to this file, unchanged. */
  isCurrent(): Promise<boolean>
  close(): Promise<void>
}

/**
 * Opens a tar with an OCI image layout in it (image-spec: image-layout), as skopeo's `oci-archive:`, `docker save` and we write
 * it, by its headers alone. `own` is the repository of plain tags. Files that are no part of a layout are passed over.
 * Throws ARCHIVE_MALFORMED, ARCHIVE_ENTRY_REFUSED, PATH_UNSAFE, INPUT_SYNTAX, CONFIG_UNSUPPORTED for another layout version,
 * INPUT_REFUSED for what is compressed or no OCI archive, INPUT_NOT_FOUND, PERMISSION_DENIED, IO_FAILED.
 */
export async function openArchiveFile(file: string, own: string): Promise<ArchiveFile> {
  // O_NONBLOCK: a FIFO under this name must not hang us.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw fromSystemError(error, `read ${file}`, { subject: { kind: 'file', name: file } })
  })
  try {
    const opened = await handle.stat({ bigint: true })
    const { version, index, blobs, docker, otherBlobs } = await listParts(handle, file)
    if (version === undefined || index === undefined) throw noLayout(file, docker)
    checkVersion(await partText(handle, file, 'oci-layout', version, MAX_VERSION), `${file}: oci-layout`)
    const text = await partText(handle, file, 'index.json', index, MAX_INDEX)
    return {
      index: parseIndex(text, own, `${file}: index.json`),
      indexDigest: `sha256:${hash('sha256', text)}`,
      blobs: new TarBlobs(handle, file, blobs),
      otherBlobs,
      async isCurrent() {
        const now = await stat(file, { bigint: true }).catch(() => undefined)
        return now?.ino === opened.ino && now.size === opened.size && now.mtimeNs === opened.mtimeNs
      },
      close: () => handle.close(),
    }
  } catch (error) {
    const program = isCarryallError(error, 'ARCHIVE_MALFORMED') ? await compressedWith(handle) : undefined
    await handle.close()
    throw program === undefined ? error : compressed(file, program, error)
  }
}

interface Parts {
  readonly version: Span | undefined
  readonly index: Span | undefined
  readonly blobs: ReadonlyMap<string, Span>
  /** The list of what is only `docker load`'s. */
  readonly docker: boolean
  readonly otherBlobs: boolean
}

async function listParts(handle: FileHandle, file: string): Promise<Parts> {
  const files = new Map<string, Span>()
  const blobs = new Map<string, Span>()
  let otherBlobs = false
  for await (const { type, name, offset, size } of readEntries(handle, { name: file, dialect: 'foreign' })) {
    if (type !== 'file') continue
    const hex = BLOB.exec(name)?.[1]
    if (hex !== undefined) blobs.set(`sha256:${hex}`, { offset, size })
    else if (OTHER_BLOB.test(name)) otherBlobs = true
    else if (!name.includes('/')) files.set(name, { offset, size })
  }
  return {
    version: files.get('oci-layout'),
    index: files.get('index.json'),
    blobs,
    docker: files.has('manifest.json'),
    otherBlobs,
  }
}

async function partText(
  handle: FileHandle,
  file: string,
  name: string,
  span: Span,
  limit: number,
): Promise<string> {
  if (span.size <= limit) return (await bytesAt(handle, file, span)).toString('utf8')
  throw new CarryallError(
    'INPUT_TOO_LARGE',
    `Cannot read ${name} of ${file}: ${span.size} bytes, at most ${limit} are read`,
    { subject: { kind: 'file', name: file } },
  )
}

function noLayout(file: string, docker: boolean): CarryallError {
  return new CarryallError(
    'INPUT_REFUSED',
    `Cannot read ${file} as an OCI archive: it has no OCI image layout`,
    {
      subject: { kind: 'file', name: file },
      hint: docker
        ? 'It is an archive of "docker save"; convert it with "skopeo copy docker-archive:FILE oci-archive:NEW"'
        : 'Name a tar file with oci-layout and index.json at its top, as "skopeo copy … oci-archive:FILE" writes it',
    },
  )
}

function compressed(file: string, program: string, cause: unknown): CarryallError {
  return new CarryallError('INPUT_REFUSED', `Cannot read ${file}: it is compressed (${program})`, {
    subject: { kind: 'file', name: file },
    hint: `Decompress it first: ${program} -d < ${file} > NEW.tar; its layers are compressed anyway`,
    cause,
  })
}
