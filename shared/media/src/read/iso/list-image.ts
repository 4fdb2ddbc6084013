import { Census } from '../census.ts'
import { fileName } from '../file-name.ts'
import { bad } from './bytes.ts'
import type { DirectoryRecord, Extent } from './directory-record.ts'
import { directoryRecords } from './directory-records.ts'
import { type Image, SECTOR } from './image.ts'
import { metered } from './metered.ts'
import { rockRidgeName, systemUseSkip } from './rock-ridge.ts'
import { rootRecord } from './root-record.ts'

/** A regular file of an image. */
export interface ImageFile {
  readonly path: string
  readonly size: number
  /** Where its bytes are, in order: a file of 4 GiB or more has several extents. */
  readonly extents: readonly Extent[]
}

const DOTS = 2
/** Of nearly 4 GiB each, where the writer is an honest one. */
const MAX_EXTENTS = 4096

interface Directory {
  readonly path: string
  readonly extent: Extent
  readonly parent: Extent
}

/**
 * All regular files of an image, by name of Rock Ridge where it has that, else by their plain ISO 9660 names without version. Every
 * directory is read once and every extent is inside the image; directories and names are bounded, and the files have together no more
 * bytes than the image. Throws VOLUME_INVALID, FILE_UNEXPECTED (links, devices, relocated directories), PATH_UNSAFE, IO_FAILED.
 */
export async function listImage(image: Image, signal?: AbortSignal): Promise<readonly ImageFile[]> {
  const metadata = metered(image)
  const root = await rootRecord(metadata)
  const census = new Census(image.place, image.size)
  const files: ImageFile[] = []
  const visited = new Set<number>()
  const pending: Directory[] = [{ path: '', extent: root, parent: root }]
  let skip: number | undefined

  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    signal?.throwIfAborted()
    const { path, extent, parent } = directory
    const at = { place: image.place, offset: extent.position }
    if (visited.has(extent.position)) throw bad('a directory is in two places', at)
    visited.add(extent.position)

    const open = new OpenFile()
    let index = 0
    for await (const record of directoryRecords(metadata, extent, parent)) {
      if (index === 0 && path === '') skip = systemUseSkip(record)
      index += 1
      if (index <= DOTS) continue
      const name = await nameOf(metadata, record, skip)
      const child = path === '' ? name : `${path}/${name}`
      if (record.directory) {
        open.expectNone(record)
        if (record.continued) throw bad('a directory has several extents', record.systemUse)
        census.add(child, 0)
        pending.push({ path: child, extent: record.extent, parent: extent })
        continue
      }
      const file = open.add(child, record)
      if (file === undefined) continue
      census.add(file.path, file.size)
      files.push(file)
    }
    open.expectNone({ systemUse: { bytes: Buffer.alloc(0), ...at } })
  }
  return files
}

async function nameOf(image: Image, record: DirectoryRecord, skip: number | undefined): Promise<string> {
  const given = skip === undefined ? undefined : await rockRidgeName(image, record, skip)
  return fileName(given ?? plainName(record), image.place)
}

/** ECMA-119 7.5: `NAME.EXT;1`, and `NAME.;1` where there is no extension. */
function plainName({ identifier, directory }: DirectoryRecord): Buffer {
  if (directory) return identifier
  return Buffer.from(
    identifier
      .toString('latin1')
      .replace(/;\d{1,5}$/, '')
      .replace(/\.$/, ''),
    'latin1',
  )
}

/** The file whose extents are being gathered: they come in a row, all but the last of whole sectors (ECMA-119 6.5.1). */
class OpenFile {
  #path: string | undefined
  #extents: Extent[] = []

  /** The file, where this is its last extent. */
  add(path: string, { continued, extent, systemUse }: DirectoryRecord): ImageFile | undefined {
    if (this.#path !== undefined && this.#path !== path)
      throw bad('the extents of a file are not in a row', systemUse)
    if (continued && (extent.size === 0 || extent.size % SECTOR !== 0))
      throw bad('an extent of a file is not of whole sectors', systemUse)
    if (this.#extents.length === MAX_EXTENTS)
      throw bad(`a file has more than ${MAX_EXTENTS} extents`, systemUse)
    this.#path = path
    this.#extents.push(extent)
    if (continued) return undefined
    const extents = this.#extents
    this.#path = undefined
    this.#extents = []
    return { path, size: extents.reduce((sum, { size }) => sum + size, 0), extents }
  }

  expectNone({ systemUse }: Pick<DirectoryRecord, 'systemUse'>): void {
    if (this.#path !== undefined) throw bad('the last extent of a file is missing', systemUse)
  }
}
