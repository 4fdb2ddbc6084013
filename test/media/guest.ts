import { readFile } from 'node:fs/promises'
import { makeScratch } from '../support/scratch.ts'
import { bootFiles } from './boot-files.ts'
import type { Disk } from './disk.ts'
import { powerOn } from './power-on.ts'

/** What a guest gets. */
export interface GuestOptions {
  readonly disks: readonly Disk[]
  /** The absolute path of a directory of the host, which the guest may write to under the same path. */
  readonly share?: string
  /** Run by bash in `/run`, as root, with nothing to read. */
  readonly script: string
  /** Added to PATH (with this Node in front), HOME, LANG and TMPDIR; nothing of the host's environment is there. */
  readonly env?: Readonly<Record<string, string>>
  readonly timeoutMs: number
}

/** How a script ended, with all that it wrote. */
export interface GuestRun {
  /** Null if the guest went off before the end of the script, as it does by `echo o >/proc/sysrq-trigger`. */
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
  /** What the kernel and the start-up wrote. */
  readonly console: string
}

/** The `cause` of the error that `runInGuest` rejects with. */
type GuestFailure = 'set-up' | 'busy' | 'late'

/**
 * Boots a Linux kernel of its own (user-mode-linux) with the files of the host, which it cannot change, mounts `disks` and
 * runs a script there. For file systems that the kernel of the host may not know: vfat, udf, iso9660. `/run` and `/media`
 * are the guest's own; every other path is as on the host. The disks are unmounted before the result is there; in a guest
 * that went off by itself they are as after a power cut. It takes 2 to 3 seconds, and a second more for each Node that the
 * script starts.
 *
 * Needs root, and the programs that `scripts/peers` lists. Rejects if the guest cannot be set up (cause `set-up`), if a
 * disk is still in use after the script (`busy`), or after `timeoutMs` (`late`); the message has all that was written. No
 * process is left then, nor when the calling process dies.
 */
export async function runInGuest({ timeoutMs, ...options }: GuestOptions): Promise<GuestRun> {
  await using scratch = await makeScratch()
  const guest = powerOn(await bootFiles(scratch, options))
  let late = false
  const timer = setTimeout(() => {
    late = true
    guest.kill()
  }, timeoutMs)
  const console = await guest.ended.finally(() => clearTimeout(timer))
  const read = (name: string) => readFile(scratch.at(name), 'utf8').catch(() => undefined)
  const [stdout = '', stderr = '', exit = ''] = [
    await read('stdout'),
    await read('stderr'),
    await read('exit'),
  ]
  const failure = (reason: GuestFailure, text: string) =>
    new Error(`${text}:\n${stdout}${stderr}${console}`, { cause: reason })
  if (late) throw failure('late', `The guest was killed after ${timeoutMs} ms`)
  if ((await read('ready')) === undefined) throw failure('set-up', 'The guest could not be set up')
  if ((await read('busy')) !== undefined) throw failure('busy', 'The script left a disk in use')
  return { exitCode: /^\d+\n$/.test(exit) ? Number(exit) : null, stdout, stderr, console }
}
