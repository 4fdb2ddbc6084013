import { access, constants, open, realpath, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { CarryallError, fromSystemError, isCarryallError } from '@carryall/errors'

/** The file of `--result`: written beside its final name, which it takes when it is complete and durable. */
export interface ResultFile {
  write(text: string): Promise<void>
  /** Gives it its name; without a write before, nothing appears. */
  commit(): Promise<void>
  discard(): Promise<void>
}

/**
 * Prepares `path` before any work is done, so that a directory that is missing or not writable is found at once
 * (OUTPUT_NOT_WRITABLE, 73). A device or named pipe is written to as it is: a rename would replace it. The commit is done
 * here and not by `durable`, which this layer does not see.
 */
export async function openResultFile(path: string): Promise<ResultFile> {
  const target = await realpath(path).catch(() => path)
  const before = await stat(target).catch(() => undefined)
  if (before?.isDirectory()) throw notWritable(path, 'it is a directory')
  const special = before !== undefined && !before.isFile()
  await access(special ? target : dirname(target), constants.W_OK).catch((cause: unknown) => {
    throw notWritable(path, `${(cause as NodeJS.ErrnoException).code}`, cause)
  })
  const temporary = special
    ? target
    : join(dirname(target), `.${basename(target)}.${crypto.randomUUID()}.tmp`)
  let handle: FileHandle | undefined
  const guarded = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      const ours = fromSystemError(error, `write ${path}`, { subject: { kind: 'file', name: path } })
      throw isCarryallError(ours, 'PERMISSION_DENIED', 'INPUT_NOT_FOUND')
        ? notWritable(path, ours.message, error)
        : ours
    }
  }
  return {
    write: (text) =>
      guarded(async () => {
        handle ??= await open(temporary, special ? 'w' : 'wx', 0o644)
        await handle.writeFile(text)
      }),
    commit: () =>
      guarded(async () => {
        if (handle === undefined) return
        if (!special) await handle.sync()
        await handle.close()
        if (special) return
        await rename(temporary, target)
        await syncDirectory(dirname(target))
      }),
    discard: async () => {
      if (handle === undefined) return
      await handle.close().catch(() => {})
      if (!special) await rm(temporary, { force: true })
    },
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

function notWritable(path: string, why: string, cause?: unknown): CarryallError {
  return new CarryallError('OUTPUT_NOT_WRITABLE', `Cannot write ${path}: ${why}`, {
    subject: { kind: 'file', name: path },
    hint: 'Give --result a file in a directory that exists and is writable',
    ...(cause === undefined ? {} : { cause }),
  })
}
