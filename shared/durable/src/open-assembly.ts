import { constants } from 'node:fs'
import { type FileHandle, open, readFile, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { commitFile } from './commit-file.ts'
import { outputError } from './output-error.ts'
import { syncName } from './sync-directory.ts'
import { writeAll } from './write-all.ts'

/** A piece of a file: bytes from its start, and how many. */
export interface Piece {
  readonly offset: number
  readonly size: number
}

/** A file that is put together from pieces, in any order and over several runs. */
export interface Assembly extends AsyncDisposable {
  /** Pieces that are durable, by offset. */
  readonly pieces: readonly Piece[]
  /** Open for reading and writing. */
  readonly handle: FileHandle
  /** Writes at this position, and lets `tap` have the chunk meanwhile; nothing is recorded yet. */
  write(chunk: Uint8Array, position: number, tap?: (chunk: Uint8Array) => void): Promise<void>
  /** Makes what was written durable, then records the piece: after a power cut it is whole, or not recorded. */
  record(piece: Piece): Promise<void>
  /** Gives the file its name, on the same file system, and forgets the record. The caller has proven its content. */
  commit(path: string): Promise<void>
  /** Forgets the pieces: their content was proven wrong. */
  forget(): Promise<void>
}

/**
 * Opens, or begins, the assembly `name` of a file of `size` bytes in a directory that one process writes to: the file
 * itself, which is as large as all of it from the beginning, and beside it `<name>.pieces`. A record that cannot be read
 * counts as none. Throws as `commitFile` does.
 */
export async function openAssembly(directory: string, name: string, size: number): Promise<Assembly> {
  const path = join(directory, name)
  const list = `${path}.pieces`
  const fail = (error: unknown): never => {
    throw outputError(error, 'write', path)
  }
  let pieces = await readPieces(list, size)
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW
  const handle = await open(path, flags, 0o600).catch(fail)
  try {
    const { size: found } = await handle.stat()
    if (found !== size) {
      // What is recorded was in a file of this size; in another one nothing is.
      if (pieces.length > 0) pieces = []
      await handle.truncate(size)
    }
  } catch (error) {
    await handle.close().catch(() => undefined)
    fail(error)
  }
  return {
    handle,
    get pieces() {
      return pieces
    },
    async write(chunk, position, tap) {
      const writing = writeAll(handle, chunk, position).catch(fail)
      writing.catch(() => undefined)
      tap?.(chunk)
      await writing
    },
    async record(piece) {
      await handle.sync().catch(fail)
      const next = [...pieces, piece].sort((a, b) => a.offset - b.offset)
      await commitFile(list, `${JSON.stringify(next)}\n`)
      pieces = next
    },
    async commit(to) {
      try {
        await handle.chmod(0o644)
        await handle.sync()
        await rename(path, to)
        await syncName(to)
        await unlink(list).catch(() => undefined)
      } catch (error) {
        throw outputError(error, 'write', to)
      }
    },
    async forget() {
      pieces = []
      await commitFile(list, '[]\n')
    },
    async [Symbol.asyncDispose]() {
      await handle.close().catch(() => undefined)
    },
  }
}

async function readPieces(list: string, size: number): Promise<readonly Piece[]> {
  const text = await readFile(list, 'utf8').catch(() => '[]')
  try {
    const pieces = JSON.parse(text) as readonly Piece[]
    return pieces.every((piece) => isPiece(piece, size)) ? pieces : []
  } catch {
    return []
  }
}

function isPiece({ offset, size }: Piece, end: number): boolean {
  return (
    Number.isSafeInteger(offset) &&
    Number.isSafeInteger(size) &&
    offset >= 0 &&
    size > 0 &&
    offset + size <= end
  )
}
