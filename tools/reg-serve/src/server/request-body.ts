import type { IncomingMessage } from 'node:http'
import { CHUNK_BYTES } from '@carryall/durable'
import { connectionBuffers } from './connection-buffers.ts'
import type { Exchange } from './exchange.ts'
import { PATIENCE_MS } from './patience.ts'
import { Refusal } from './refusal.ts'

/**
 * The body of a request as it comes. Whoever stops reading leaves the connection whole, so that an answer can be sent. A
 * client that waits for "100 Continue" gets it now, and one that is too slow is cut off.
 */
export async function* bodyOf({
  request,
  response,
}: Pick<Exchange, 'request' | 'response'>): AsyncGenerator<Buffer, void, undefined> {
  if (awaitsContinue(request)) response.writeContinue()
  const patience = setTimeout(() => request.destroy(), PATIENCE_MS)
  let wanted = CHUNK_BYTES
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      yield chunk
      wanted -= chunk.length
      if (wanted > 0) continue
      patience.refresh()
      wanted = CHUNK_BYTES
    }
    // All is here: from now on the client waits for us, and a large blob takes its time.
    request.socket.setTimeout(0)
  } finally {
    clearTimeout(patience)
  }
}

/** True for a client that sends its body only when it is told to go on (RFC 9110 §10.1.1), and has not been. */
export function awaitsContinue(request: IncomingMessage): boolean {
  return request.headers.expect !== undefined && !request.readableDidRead
}

/** Refuses a request that says neither how long its body is nor that it comes in pieces: 411. */
export function refuseNoLength({ headers }: IncomingMessage): void {
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined)
    throw new Refusal(411, 'SIZE_INVALID', 'The request has neither Content-Length nor Transfer-Encoding')
}

const DISCARD_BYTES = 16 * 1024 * 1024
const DISCARD_MS = 10_000

/**
 * Reads what is left of a body after its request was answered and throws it away: the next request of the connection comes
 * after it. A client that goes on for long is cut off instead; by then it has the answer.
 */
export function discardBody(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return
  const patience = setTimeout(() => request.destroy(), DISCARD_MS)
  let left = DISCARD_BYTES
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) request.destroy()
  })
  request.once('close', () => clearTimeout(patience))
  request.resume()
}

/**
 * The body of a request in chunks of 1 MiB: a socket gives 64 KiB at a time, too little for a write each. A chunk is valid
 * only until the next one is asked for. Where the connection breaks, what came before is given first.
 */
export async function* largeChunks(
  exchange: Pick<Exchange, 'request' | 'response'>,
): AsyncGenerator<Buffer, void, undefined> {
  // A slow sender keeps its buffer for long: where the pool has none left, nobody waits.
  const taken = connectionBuffers.takeFree()
  const buffer = taken ?? Buffer.allocUnsafeSlow(CHUNK_BYTES)
  let filled = 0
  let broken: Error | undefined
  try {
    try {
      for await (const chunk of bodyOf(exchange)) {
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
