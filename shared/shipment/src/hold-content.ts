import { join } from 'node:path'
import { acquireLock, ensureDirectory, removeOrphans, syncDirectory } from '@carryall/durable'
import { fromSystemError } from '@carryall/errors'

export interface HoldOptions {
  /** Who asks, for the message that others get. */
  readonly holder: string
  readonly waitSeconds: number
  readonly signal?: AbortSignal
}

/**
 * Takes the lock of a content directory, which is made if it is not there, and removes what killed runs left. Gives back
 * what frees the lock. Throws LOCK_HELD (75).
 */
export async function holdContent(path: string, options: HoldOptions): Promise<() => Promise<void>> {
  const own = join(path, '.carryall')
  await ensureDirectory(join(own, 'staging'))
  const lock = await acquireLock(join(own, 'lock'), options)
  try {
    // A run that was cut right after its rename may have left a shipment that a power cut would still take away.
    await syncDirectory(path).catch((error: unknown) =>
      Promise.reject(fromSystemError(error, `sync ${path}`)),
    )
    // Under the lock nobody else has temporary files here.
    for (const place of [path, own, join(own, 'staging')]) await removeOrphans(place)
    return lock.release
  } catch (error) {
    await lock.release()
    throw error
  }
}
