import { CarryallError } from '@carryall/errors'

/** A streamed request body under watch. */
export interface UploadBody {
  readonly chunks: AsyncIterable<Buffer>
  /** Ends the watch. */
  done(): void
}

/**
 * Streams `source` and calls `stalled` with NET_TIMEOUT where the other side takes nothing for `idleMs`. undici has no
 * such limit while a body is under way; a slow source is the source's own affair.
 */
export function uploadBody(
  source: AsyncIterable<Buffer>,
  idleMs: number,
  host: string,
  stalled: (error: CarryallError) => void,
): UploadBody {
  let timer: NodeJS.Timeout | undefined
  const stall = () => {
    stalled(
      new CarryallError('NET_TIMEOUT', `${host} takes no more of the upload: nothing in ${idleMs / 1000} s`, {
        subject: { kind: 'host', name: host },
        hint: `Check the disk and the load of ${host} and run the same command again`,
        retryable: true,
      }),
    )
  }

  async function* chunks(): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of source) {
        timer = setTimeout(stall, idleMs)
        // The client may still be sending it when the next one is asked for, and its buffer is used again then.
        yield Buffer.from(chunk)
        clearTimeout(timer)
      }
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    chunks: { [Symbol.asyncIterator]: chunks },
    done: () => clearTimeout(timer),
  }
}
