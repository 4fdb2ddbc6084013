import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  acquireLock,
  ensureDirectory,
  outputError,
  removeOrphans,
  syncDirectory,
  type Lock,
  type LockOptions,
} from '@carryall/durable'

/** On a medium it stays, with nothing in it. */
const LOCK_FILE = '.carryall-lock'

/** Makes a directory for volumes where there is none, and takes its lock; what a killed run threw away goes. Throws LOCK_HELD (75), OUTPUT_NOT_WRITABLE. */
export async function holdOut(out: string, options: LockOptions): Promise<Lock> {
  await ensureDirectory(out)
  const lock = await acquireLock(join(out, LOCK_FILE), options)
  try {
    // A run that was killed right after its rename may have left a volume that a power cut would still take away.
    await syncDirectory(out).catch((error: unknown) => Promise.reject(outputError(error, 'sync', out)))
    await removeOrphans(out)
    return lock
  } catch (error) {
    await lock.release()
    throw error
  }
}

/** The directory itself, or the nearest one above it that is there. */
export async function existing(path: string): Promise<string> {
  for (let at = path; ; at = dirname(at)) {
    const found = await stat(at).catch(() => undefined)
    if (found?.isDirectory() || at === dirname(at)) return at
  }
}

/** True where another file system begins at this directory: a medium that is mounted there. */
export async function isMountPoint(path: string): Promise<boolean> {
  const [own, above] = await Promise.all([path, dirname(path)].map((one) => stat(one).catch(() => undefined)))
  return own !== undefined && own.dev !== above?.dev
}
