import type { FileHandle } from 'node:fs/promises'
import { CarryallError, fromSystemError } from '@carryall/errors'
import { DigestThread } from './digest-thread.ts'

/** The digest of a file that is still being written, taken on another thread. */
export interface DigestFollower {
  /** Says that the bytes before `offset` are final. Smaller offsets than before say nothing. */
  readonly advance: (offset: number) => void
  /** Says that all bytes are final; gives `sha256:<hex>` of the file's first `size` bytes. Throws SIZE_MISMATCH, INPUT_NOT_FOUND, IO_FAILED; INTERRUPTED after `cancel`. */
  readonly finish: () => Promise<string>
  /** Ends it early. After `finish` is fulfilled it does nothing. */
  readonly cancel: () => void
}

/**
 * Hashes the first `size` bytes of a file behind a prefix that grows, reading them back (from the page cache, as a rule) on the
 * one hashing thread of this process, which takes turns among all followed files. Every follower has to be finished or cancelled.
 * A handle must stay open until then.
 */
export function followDigest(file: string | FileHandle, size: number): DigestFollower {
  const name = typeof file === 'string' ? file : 'a file'
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  // It may fail long before anyone asks for the result.
  promise.catch(() => undefined)
  const thread = DigestThread.get()
  const id = thread.start(typeof file === 'string' ? { path: file } : { fd: file.fd }, size, (result) => {
    if (result instanceof Error)
      reject(new CarryallError('INTERNAL', `Cannot hash ${name}`, { cause: result }))
    else if ('digest' in result) resolve(result.digest)
    else reject(readError(result.error, name, size))
  })
  return {
    advance: (offset) => thread.advance(id, offset),
    finish: () => {
      thread.advance(id, size)
      return promise
    },
    cancel: () => {
      thread.cancel(id)
      reject(new CarryallError('INTERRUPTED', `Stopped hashing ${name}`))
    },
  }
}

function readError(
  plain: { readonly message: string; readonly errno?: number },
  name: string,
  size: number,
): unknown {
  const subject = { kind: 'file', name } as const
  // A class does not survive the way between threads.
  const error = Object.assign(new Error(plain.message), plain)
  if (plain.errno !== undefined) return fromSystemError(error, `read ${name}`, { subject })
  return new CarryallError('SIZE_MISMATCH', `Cannot hash ${name}: ${plain.message}`, {
    subject,
    expected: size,
    cause: error,
  })
}
