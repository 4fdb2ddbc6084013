import { stat } from 'node:fs/promises'
import { outputError } from '@carryall/durable'
import { CarryallError } from '@carryall/errors'

/**
 * Remembers which directory is at a path. What it gives throws OUTPUT_NOT_WRITABLE (73) where another one is there by then: a
 * medium that is unmounted leaves its mount point behind, and nothing shall be written into that.
 */
export async function samePlace(path: string): Promise<() => Promise<void>> {
  const before = await identity(path)
  return async () => {
    if ((await identity(path)) === before) return
    throw new CarryallError(
      'OUTPUT_NOT_WRITABLE',
      `${path} is not the directory that it was: the medium is gone`,
      {
        subject: { kind: 'file', name: path },
        hint: 'Mount the medium and run the same command again; what is written on it is kept',
      },
    )
  }
}

async function identity(path: string): Promise<string> {
  try {
    const { dev, ino } = await stat(path, { bigint: true })
    return `${dev} ${ino}`
  } catch (error) {
    throw outputError(error, 'write to', path)
  }
}
