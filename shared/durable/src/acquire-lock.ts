import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { pid } from 'node:process'
import { CarryallError, escapeControls } from '@carryall/errors'
import { run } from '@carryall/exec'
import { outputError } from './output-error.ts'

/** What `flock` shall answer when the lock is held; every other exit but 0 is a failure of its own. */
const HELD = 75
const HOLDER_BYTES = 500

export interface LockOptions {
  /** Who asks, for the message that others get, e.g. `mirror-seq 1.0.0`. */
  readonly holder: string
  /** Seconds to wait while another holds it; 0 if absent. */
  readonly waitSeconds?: number
  readonly signal?: AbortSignal
}

/** A held lock. Keep it: the lock lives as long as its descriptor. `await using lock = …` releases it with its scope. */
export interface Lock extends AsyncDisposable {
  /** Frees the lock; a second call does nothing. */
  release(): Promise<void>
}

/**
 * Takes an exclusive kernel lock on a file, which is made if absent and never removed. The lock belongs to the open file
 * of this process, so it is free as soon as the process is gone, also after kill -9. It excludes other descriptors in this
 * process, too.
 *
 * Throws LOCK_HELD, which names the holder, the signal's reason, EXEC_NOT_FOUND without util-linux, else as `commitFile` does.
 */
export async function acquireLock(path: string, options: LockOptions): Promise<Lock> {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW
  const handle = await open(path, flags, 0o644).catch((error: unknown) => {
    throw outputError(error, 'open the lock', path)
  })
  try {
    await lock(path, handle, options)
  } catch (error) {
    await handle.close()
    throw outputError(error, 'lock', path)
  }
  await tell(handle, options.holder)
  let released: Promise<void> | undefined
  const release = () => (released ??= free(handle))
  return { release, [Symbol.asyncDispose]: release }
}

/** Node has no flock: util-linux takes it on our open file, which it inherits as descriptor 3 and shares with us. */
async function lock(path: string, handle: FileHandle, options: LockOptions): Promise<void> {
  const seconds = options.waitSeconds ?? 0
  const patience = seconds > 0 ? ['--timeout', String(seconds)] : ['--nonblock']
  const { exitCode } = await run(
    'flock',
    ['--exclusive', '--conflict-exit-code', String(HELD), ...patience, '3'],
    {
      inheritFds: [handle.fd],
      okExits: [0, HELD],
      timeoutMs: (seconds + 60) * 1000,
      package: 'util-linux',
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    },
  )
  if (exitCode === 0) return
  const holder = await holderOf(handle)
  throw new CarryallError('LOCK_HELD', `Lock ${path} is held by ${holder}`, {
    hint: 'Wait for it with --wait SECONDS, or run the command again when that one has ended',
    subject: { kind: 'file', name: path },
    actual: holder,
    retryable: true,
  })
}

async function holderOf(handle: FileHandle): Promise<string> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(HOLDER_BYTES), 0, HOLDER_BYTES, 0)
  return escapeControls(buffer.toString('utf8', 0, bytesRead)).trim() || 'another process'
}

/** A courtesy: on a full disk the lock counts without it, or nothing could be pruned there. */
async function tell(handle: FileHandle, holder: string): Promise<void> {
  const text = `${holder}, process ${pid}, since ${new Date().toISOString()}\n`
  await handle
    .truncate(0)
    .then(() => handle.write(text, 0))
    .catch(() => undefined)
}

async function free(handle: FileHandle): Promise<void> {
  // A name that stays would be told for the next holder until that one has written its own.
  await handle.truncate(0).catch(() => undefined)
  // The lock is free with its descriptor, whatever closing the file says; there is nothing in it to lose.
  await handle.close().catch(() => undefined)
}
