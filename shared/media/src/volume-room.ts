import type { Medium } from '@carryall/schemas'
import { fileSystem, type FileSystem } from './file-system.ts'

/**
 * What a tree of files takes on a medium, while it grows: clusters, the names in each directory, the directories. The
 * volume's own directory is in it; paths are relative to that.
 */
export class VolumeRoom {
  readonly system: FileSystem
  readonly cluster: number
  /** Sum of the names in each directory. */
  readonly #directories: Map<string, number>
  #bytes: number
  #files: number

  constructor(medium: Medium, like?: VolumeRoom) {
    this.system = fileSystem(medium.filesystem)
    this.cluster = medium.cluster_bytes
    if (like === undefined) {
      this.#directories = new Map([['', 0]])
      this.#bytes = this.system.directoryBytes(0, this.cluster)
      this.#files = 1
    } else {
      this.#directories = new Map(like.#directories)
      this.#bytes = like.#bytes
      this.#files = like.#files
    }
  }

  /** Bytes of the medium that are taken. */
  get bytes(): number {
    return this.#bytes
  }

  /** Files and directories. */
  get files(): number {
    return this.#files
  }

  /** What one more file would take, with the directories that it needs; undefined where a directory is full. */
  need(path: string, size: number): { readonly bytes: number; readonly files: number } | undefined {
    let bytes = this.system.fileBytes(size, this.cluster)
    let files = 1
    for (const { directory, names } of this.#grown(path)) {
      const before = this.#directories.get(directory)
      const after = (before ?? 0) + names
      if (after > this.system.maxDirectoryBytes) return undefined
      bytes += this.#directoryBytes(after) - (before === undefined ? 0 : this.#directoryBytes(before))
      if (before === undefined) files += 1
    }
    return { bytes, files }
  }

  /** Puts a file there. */
  add(path: string, size: number): void {
    const need = this.need(path, size)
    if (need === undefined) throw new RangeError(`A directory is full: ${path}`)
    for (const { directory, names } of this.#grown(path))
      this.#directories.set(directory, (this.#directories.get(directory) ?? 0) + names)
    this.#bytes += need.bytes
    this.#files += need.files
  }

  /** The directories in which a name comes to be, innermost first. */
  *#grown(path: string): Generator<{ directory: string; names: number }> {
    for (let at = path; ;) {
      const slash = at.lastIndexOf('/')
      const directory = slash < 0 ? '' : at.slice(0, slash)
      const isThere = this.#directories.has(directory)
      yield { directory, names: this.system.entryBytes(at.slice(slash + 1)) }
      if (isThere) return
      at = directory
    }
  }

  #directoryBytes(names: number): number {
    return this.system.directoryBytes(names, this.cluster)
  }
}
