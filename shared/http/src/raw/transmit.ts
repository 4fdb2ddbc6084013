import type { Socket } from 'node:net'
import { firstBytes } from '../first-bytes.ts'
import { networkError } from '../network-error.ts'
import type { HeaderValues } from '../request.ts'
import type { HttpResponse } from '../response.ts'
import { bodyLength, readAnswerHead, type AnswerHead } from './answer-head.ts'
import { openSocket } from './open-socket.ts'
import type { RawOptions } from './receiver.ts'
import { requestHead } from './request-head.ts'
import { smallAnswer } from './small-answer.ts'

const MAX_ANSWER = 1024 * 1024

export interface TransmitOptions extends RawOptions {
  /** Milliseconds for the answer once the body is sent: the other side hashes and moves it first. */
  readonly answerMs: number
}

/**
 * Sends a large body over a connection of its own: each chunk goes from the caller's buffer to the kernel, and the next
 * one is asked for when it has gone, so that buffers can be used again. The connection is made when the first bytes are
 * there. An answer that comes before the end stops the sending. Throws what the body's source throws, NET_*, REG_PROTOCOL.
 */
export async function transmit(
  method: string,
  url: URL,
  headers: HeaderValues,
  body: () => AsyncIterable<Buffer>,
  options: TransmitOptions,
): Promise<HttpResponse> {
  let socket: Socket | undefined
  const source = await firstBytes(body, options.signal).catch((error: unknown) => {
    options.onEnd()
    throw error
  })
  try {
    options.signal?.throwIfAborted()
    socket = await openSocket(url, options.route, undefined, options.signal)
    const answer = collectAnswer(socket, url, options)
    await send(socket, requestHead(method, url, headers), source.chunks, answer, options)
    socket.setTimeout(options.answerMs)
    const { head, rest } = await answer.whole
    return smallAnswer(head, url, rest)
  } catch (error) {
    options.signal?.throwIfAborted()
    throw source.failure() ?? networkError(error, method, url)
  } finally {
    source.close()
    socket?.destroy()
    options.onEnd()
  }
}

interface Answer {
  readonly whole: Promise<{ readonly head: AnswerHead; readonly rest: Buffer }>
  readonly come: () => boolean
}

/** Gathers the answer while the body is still being sent. */
function collectAnswer(socket: Socket, url: URL, { signal }: TransmitOptions): Answer {
  const { promise, resolve, reject } = Promise.withResolvers<{ head: AnswerHead; rest: Buffer }>()
  promise.catch(() => undefined)
  let bytes = Buffer.alloc(0)
  const fail = (code: string): void => reject(Object.assign(new Error(code), { code }))
  const read = (ended: boolean): void => {
    const head = readAnswerHead(bytes, url.host)
    if (head === undefined) return ended ? fail('ECONNRESET') : undefined
    const length = bodyLength(head)
    const rest = bytes.subarray(head.length)
    if (ended || rest.length >= Math.min(length ?? MAX_ANSWER, MAX_ANSWER)) resolve({ head, rest })
  }
  const tryRead = (ended: boolean): void => {
    try {
      read(ended)
    } catch (error) {
      reject(error as Error)
    }
  }
  socket.on('data', (data: Buffer) => {
    bytes = Buffer.concat([bytes, data])
    tryRead(false)
  })
  socket.on('timeout', () => fail('UND_ERR_BODY_TIMEOUT'))
  socket.on('end', () => tryRead(true))
  socket.on('error', (error) => (bytes.length > 0 ? tryRead(true) : reject(error)))
  socket.on('close', () => tryRead(true))
  const abort = (): void => reject(signal?.reason as Error)
  signal?.addEventListener('abort', abort, { once: true })
  void promise.finally(() => signal?.removeEventListener('abort', abort)).catch(() => undefined)
  return { whole: promise, come: () => bytes.length > 0 }
}

async function send(
  socket: Socket,
  head: string,
  chunks: AsyncIterable<Buffer>,
  answer: Answer,
  { idleMs }: TransmitOptions,
): Promise<void> {
  socket.write(head)
  for await (const chunk of chunks) {
    if (answer.come()) return
    // Silence counts only while the other side is to take something, not while we wait for our own source.
    socket.setTimeout(idleMs)
    const gone = new Promise<void>((resolve) => {
      socket.write(chunk, () => resolve())
    })
    // A connection that breaks calls back, too; that it broke is the answer's to say.
    await Promise.race([gone, answer.whole])
    socket.setTimeout(0)
  }
}
