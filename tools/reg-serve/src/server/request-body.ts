import type { IncomingMessage } from 'node:http'

const BATCH = 1024 * 1024

/**
 * The body of a request in chunks of about 1 MiB: a socket gives 64 KiB at a time, too little for a write each. Where the
 * connection breaks, what came before is given first. Whoever stops reading leaves the connection whole, so that an answer
 * can be sent.
 */
export async function* bodyOf(request: IncomingMessage): AsyncGenerator<Buffer, void, undefined> {
  let batch: Buffer[] = []
  let length = 0
  let broken: unknown
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      batch.push(chunk)
      length += chunk.length
      if (length < BATCH) continue
      yield Buffer.concat(batch, length)
      batch = []
      length = 0
    }
  } catch (error) {
    broken = error
  }
  if (length > 0) yield Buffer.concat(batch, length)
  if (broken !== undefined) throw broken
}
