import { constants } from 'node:fs'
import { link, open, rename, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { outputError } from './output-error.ts'
import { syncName } from './sync-directory.ts'
import { temporaryName } from './temporary-name.ts'
import { writeAll } from './write-all.ts'

const EXCLUSIVE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW

export interface CommitOptions {
  /** Exactly this mode, whatever the umask; 0o644 if absent. */
  readonly mode?: number
  /** False where a file that is there must stay: OUTPUT_EXISTS. True if absent. */
  readonly replace?: boolean
  /**
   * False: durable only once the caller has synced the tree that it is in. Until then a power cut may leave the name with
   * other bytes, never a crash of the program alone. True if absent.
   */
  readonly sync?: boolean
  /** Has each chunk while it is being written: hashing costs little time then. */
  readonly tap?: (chunk: Uint8Array) => void
  /** Called when all is written and before it gets its name; where it throws, the file is as it was. */
  readonly prove?: () => void | Promise<void>
}

/**
 * Gives `path` this content, all or nothing: at every moment, also after a crash or a power cut, the file is as it was or
 * as it shall be, and when the promise is fulfilled the new content is durable. The data goes into an exclusive temporary
 * file beside it, which is synced before it gets its name; the directory is synced after that. A chunk is not used
 * once the next one is asked for.
 *
 * A failure leaves no temporary file. Throws OUTPUT_EXISTS, OUTPUT_NOT_WRITABLE (no such directory, read-only),
 * IO_NO_SPACE, IO_FAILED, PERMISSION_DENIED, OS_LIMIT, and what `data` throws. After a failed sync of the directory the new
 * file may be there without being durable.
 */
export async function commitFile(
  path: string,
  data: Uint8Array | string | AsyncIterable<Uint8Array>,
  options: CommitOptions = {},
): Promise<void> {
  const { replace = true, sync = true } = options
  const directory = dirname(path)
  const temporary = join(directory, temporaryName())
  const source = watch(data, options.prove)
  try {
    await writeNew(temporary, source.chunks, { ...options, prove: source.prove })
    try {
      await (replace ? rename(temporary, path) : link(temporary, path))
      if (!replace) await unlink(temporary)
    } catch (error) {
      await unlink(temporary).catch(() => undefined)
      throw error
    }
    if (sync) await syncName(path)
  } catch (error) {
    // What the source throws is not about this path, even where it looks alike.
    if (source.failed) throw error
    throw outputError(error, 'write', path)
  }
}

/** Any form of the data as chunks, then its proof, and whether it was these that failed. */
function watch(
  data: Parameters<typeof commitFile>[1],
  prove: CommitOptions['prove'],
): {
  chunks: AsyncIterable<Uint8Array>
  prove: () => Promise<void>
  failed: boolean
} {
  const source = {
    chunks: chunks(),
    async prove() {
      try {
        await prove?.()
      } catch (error) {
        source.failed = true
        throw error
      }
    },
    failed: false,
  }
  async function* chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      if (typeof data === 'string') yield Buffer.from(data)
      else if (data instanceof Uint8Array) yield data
      else yield* data
    } catch (error) {
      source.failed = true
      throw error
    }
  }
  return source
}

/** Makes a new file with everything in it, durable unless told otherwise, or leaves none. */
async function writeNew(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  {
    mode = 0o644,
    sync = true,
    tap,
    prove,
  }: Omit<CommitOptions, 'prove'> & { readonly prove: () => Promise<void> },
): Promise<void> {
  // Nobody else reads it before it has its mode.
  const handle = await open(path, EXCLUSIVE, 0o600)
  try {
    let position = 0
    for await (const chunk of chunks) {
      const writing = writeAll(handle, chunk, position)
      // It is awaited right after; until then a failure is not an unhandled one.
      writing.catch(() => undefined)
      tap?.(chunk)
      await writing
      position += chunk.length
    }
    await handle.chmod(mode)
    // The disk works while the last bytes are hashed.
    const proof = prove()
    proof.catch(() => undefined)
    if (sync) await handle.sync()
    await proof
    // Some file systems tell of a failed write only here.
    await handle.close()
  } catch (error) {
    await handle.close().catch(() => undefined)
    await unlink(path).catch(() => undefined)
    throw error
  }
}
