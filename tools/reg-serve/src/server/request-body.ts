import type { IncomingMessage } from 'node:http'
import { CHUNK_BYTES } from '@carryall/durable'
import { connectionBuffers } from './connection-buffers.ts'

/** The body of a request as it comes. Whoever stops reading leaves the connection whole, so that an answer can be sent. */
export function bodyOf(request: IncomingMessage): AsyncIterable<Buffer> {
  return request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
}

/**
 * The body of a request in chunks of 1 MiB: a socket gives 64 KiB at a time, too little for a write each. A chunk is valid
 * only until the next one is asked for. Where the connection breaks, what came before is given first.
 */
export async function* largeChunks(request: IncomingMessage): AsyncGenerator<Buffer, void, undefined> {
  // A slow sender keeps its buffer for long: where the pool has none left, nobody waits.
  const taken = connectionBuffers.takeFree()
  const buffer = taken ?? Buffer.allocUnsafeSlow(CHUNK_BYTES)
  let filled = 0
  let broken: Error | undefined
  try {
    try {
      for await (const chunk of bodyOf(request)) {
        for (let from = 0; from < chunk.length;) {
          const copied = chunk.copy(buffer, filled, from)
          from += copied
          filled += copied
          if (filled < buffer.length) continue
          yield buffer
          filled = 0
        }
      }
    } catch (error) {
      broken = error as Error
    }
    if (filled > 0) yield buffer.subarray(0, filled)
    if (broken !== undefined) throw broken
  } finally {
    if (taken !== undefined) connectionBuffers.give(taken)
  }
}
