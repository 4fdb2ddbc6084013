import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { commitFile } from '@carryall/durable'
import { inParts } from './content.ts'

/** Puts data under a name that may be taken, in a way that shall survive anything. */
export type Writer = (path: string, data: Buffer) => Promise<void>

interface Habits {
  readonly sync: 'before rename' | 'after rename' | 'never'
  readonly syncsDirectory: boolean
  readonly deletesFirst: boolean
  readonly ignoresClose: boolean
  readonly flags: 'wx' | 'w'
}

const GOOD: Habits = {
  sync: 'before rename',
  syncsDirectory: true,
  deletesFirst: false,
  ignoresClose: false,
  flags: 'wx',
}

/** The writer of the product, and six that each leave out one thing. A suite that lets one of the six pass is blind. */
export const WRITERS = {
  product: (path, data) => commitFile(path, inParts(data)),
  'no fsync': broken({ sync: 'never' }),
  'no directory fsync': broken({ syncsDirectory: false }),
  'rename before fsync': broken({ sync: 'after rename' }),
  'delete first': broken({ deletesFirst: true }),
  'ignored close error': broken({ ignoresClose: true }),
  'non-exclusive create': broken({ flags: 'w' }),
} as const satisfies Record<string, Writer>

export type WriterName = keyof typeof WRITERS

function broken(fault: Partial<Habits>): Writer {
  const habits = { ...GOOD, ...fault }
  return async (path, data) => {
    const temporary = join(dirname(path), '.temporary')
    if (habits.flags === 'wx') await rm(temporary, { force: true })
    const handle = await open(temporary, habits.flags)
    await handle.write(data, 0, data.length, 0)
    if (habits.sync === 'before rename') await handle.sync()
    if (habits.deletesFirst) await rm(path, { force: true })
    if (habits.sync === 'after rename') {
      await rename(temporary, path)
      await handle.sync()
      await close(handle, habits)
    } else {
      await close(handle, habits)
      await rename(temporary, path)
    }
    if (!habits.syncsDirectory) return
    const directory = await open(dirname(path))
    await directory.sync()
    await directory.close()
  }
}

async function close(handle: FileHandle, { ignoresClose }: Habits): Promise<void> {
  await (ignoresClose ? handle.close().catch(() => undefined) : handle.close())
}
