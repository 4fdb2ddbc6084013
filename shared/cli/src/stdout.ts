import type { Writable } from 'node:stream'
import { fromSystemError } from '@carryall/errors'

const GONE = ['EPIPE', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END']

/**
 * Stdout for documents: each write waits until the reader has taken it, and a reader that has gone is
 * remembered, not thrown; any other failure is thrown once.
 */
export interface Stdout {
  readonly closed: boolean
  write(text: string): Promise<void>
}

export function createStdout(stream: Writable): Stdout {
  let closed = false
  let failure: Error | undefined
  let told = false
  stream.on('error', (error: Error) => {
    if (isGone(error)) closed = true
    else failure ??= error
  })
  return {
    get closed() {
      return closed
    },
    async write(text) {
      if (closed || told) return
      // Its callback comes when all of it is with the kernel; a process that ends earlier cuts 5 MB at 64 KiB
      const error = await new Promise<Error | null | undefined>((done) => stream.write(text, done))
      if (error && isGone(error)) closed = true
      else if (error ?? failure) {
        told = true
        throw fromSystemError(error ?? failure, 'write to stdout')
      }
    },
  }
}

/** True for what writing to a pipe without a reader throws. */
export function isGone(error: unknown): boolean {
  return error instanceof Error && GONE.includes((error as NodeJS.ErrnoException).code ?? '')
}
