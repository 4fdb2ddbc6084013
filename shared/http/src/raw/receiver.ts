import type { Socket } from 'node:net'
import { bufferPool, CHUNK_BYTES } from '@carryall/durable'
import { Brake } from '../limits/brake.ts'
import type { Pace } from '../limits/pace.ts'
import { networkError } from '../network-error.ts'
import type { HttpResponse } from '../response.ts'
import { type AnswerHead, readAnswerHead } from './answer-head.ts'
import { openSocket, type Route } from './open-socket.ts'

const SMALL = 1024 * 1024

export interface RawOptions {
  readonly route: Route
  readonly idleMs: number
  readonly pace: Pace | undefined
  readonly signal: AbortSignal | undefined
  /** Called once, when the connection is done with. */
  readonly onEnd: () => void
}

/** A connection that fills one buffer while the other is in use, and stops reading while both are. */
export class Receiver {
  readonly #url: URL
  readonly #options: RawOptions
  readonly #head = Buffer.allocUnsafe(16 * 1024)
  #seen = Buffer.alloc(0)
  #answer: AnswerHead | undefined
  /** Bytes of the body that came while none were wanted. */
  readonly #pending: Buffer[] = []
  #socket: Socket | undefined
  readonly #brake: Brake
  #buffers: Buffer[] = []
  #which = 0
  #filled = 0
  /** Bytes of the body still to come from the socket. */
  #left = Number.POSITIVE_INFINITY
  #ready: Buffer | undefined
  /** The buffer that is not in use is full as well. */
  #full = false
  #reading = true
  #failure: Error | undefined
  #ended = false
  #wake: (() => void) | undefined

  constructor(url: URL, options: RawOptions) {
    this.#url = url
    this.#options = options
    this.#brake = new Brake(options.pace, () => this.#resume())
  }

  async ask(head: string): Promise<AnswerHead> {
    const { route, signal, idleMs } = this.#options
    this.#buffers = [await bufferPool.take()]
    const onread = {
      buffer: () => this.#target(),
      callback: (count: number, buffer: Uint8Array) => this.#took(count, buffer),
    }
    const socket = await openSocket(this.#url, route, onread, signal)
    this.#socket = socket
    const fail = (code: string) => () => this.#fail(Object.assign(new Error(code), { code }))
    // Silence counts only while we listen.
    socket.setTimeout(idleMs, () => this.#reading && !this.#brake.on && fail('UND_ERR_BODY_TIMEOUT')())
    socket.on('error', (error) => this.#fail(error))
    socket.on('end', fail('ECONNRESET'))
    socket.on('close', fail('ECONNRESET'))
    signal?.addEventListener('abort', this.#abort, { once: true })
    socket.write(head)
    while (this.#answer === undefined) await this.#change()
    return this.#answer
  }

  /** The body of a known length, as it comes. */
  large(length: number): Pick<HttpResponse, 'body' | 'bytes' | 'dump'> {
    this.#expect(length)
    const body = this.#chunks(length)
    return {
      body,
      bytes: async (limit) => {
        const parts: Buffer[] = []
        for await (const chunk of body) parts.push(Buffer.from(chunk))
        return Buffer.concat(parts).subarray(0, limit)
      },
      dump: async () => this.end(),
    }
  }

  /** What is left of a small answer: to its length, or to the end of the connection, at most 1 MiB. */
  async rest(length: number | undefined): Promise<Buffer> {
    const wanted = Math.min(length ?? SMALL, SMALL)
    this.#expect(wanted)
    try {
      while (this.#left > 0 && this.#failure === undefined) await this.#change().catch(() => undefined)
      return Buffer.from(this.#buffers[0]!.subarray(0, wanted - this.#left))
    } finally {
      this.end()
    }
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#brake.end()
    this.#options.signal?.removeEventListener('abort', this.#abort)
    this.#socket?.destroy()
    for (const buffer of this.#buffers) bufferPool.give(buffer)
    this.#buffers = []
    this.#options.onEnd()
  }

  async *#chunks(length: number): AsyncGenerator<Buffer> {
    try {
      for (let done = 0; done < length;) {
        while (this.#ready === undefined) await this.#change()
        const chunk = this.#ready
        yield chunk
        done += chunk.length
        this.#release()
      }
    } catch (error) {
      this.#options.signal?.throwIfAborted()
      throw networkError(error, 'GET', this.#url)
    } finally {
      this.end()
    }
  }

  /**
   * Where the next bytes go: the head's own buffer until the head is read, and while nothing is to be read. Node asks for
   * it after each read and not after `resume`, so what comes first then lands there.
   */
  #target(): Buffer {
    const buffer = this.#answer === undefined || !this.#reading ? undefined : this.#buffers[this.#which]
    if (buffer === undefined) return this.#head
    return buffer.subarray(
      this.#filled,
      Math.min(buffer.length, this.#filled + Math.min(this.#left, this.#brake.most)),
    )
  }

  /** Takes note of bytes that came. Always true: what is to stop is paused, so that Node asks for another target. */
  #took(count: number, from: Uint8Array): boolean {
    if (this.#ended) return true
    if (this.#answer === undefined) this.#readHead(count)
    else if (from !== this.#head) this.#add(count)
    else {
      // TLS hands out what it has decrypted although reading is paused.
      this.#pending.push(Buffer.from(this.#head.subarray(0, count)))
      this.#drain()
    }
    this.#brake.took(count)
    if (!this.#reading || this.#brake.on) this.#socket?.pause()
    return true
  }

  /** The body waits until somebody says how long it is. */
  #readHead(count: number): void {
    this.#seen = Buffer.concat([this.#seen, this.#head.subarray(0, count)])
    try {
      this.#answer = readAnswerHead(this.#seen, this.#url.host)
    } catch (error) {
      this.#fail(error as Error)
    }
    if (this.#answer === undefined) return
    this.#pending.push(this.#seen.subarray(this.#answer.length))
    this.#reading = false
    this.#tell()
  }

  #expect(length: number): void {
    this.#left = length
    this.#read()
  }

  /** Goes on reading: what came meanwhile first. */
  #read(): void {
    this.#reading = this.#left > 0
    this.#drain()
    this.#resume()
  }

  #resume(): void {
    if (this.#ended || !this.#reading || this.#brake.on) return
    this.#socket?.setTimeout(this.#options.idleMs)
    this.#socket?.resume()
  }

  #drain(): void {
    while (this.#reading && this.#pending.length > 0) {
      const chunk = this.#pending.shift()!
      const taken = Math.min(chunk.length, CHUNK_BYTES - this.#filled, this.#left)
      chunk.copy(this.#buffers[this.#which]!, this.#filled, 0, taken)
      if (taken < chunk.length) this.#pending.unshift(chunk.subarray(taken))
      this.#add(taken)
    }
  }

  #add(count: number): void {
    this.#filled += count
    this.#left -= count
    if (this.#left > 0 && this.#filled < CHUNK_BYTES) return
    if (this.#ready === undefined) return this.#handOut()
    this.#full = true
    this.#reading = false
  }

  /** Hands the filled buffer out and fills the other one; a second one is taken only if it is free. */
  #handOut(): void {
    this.#ready = this.#buffers[this.#which]!.subarray(0, this.#filled)
    this.#filled = 0
    this.#full = false
    const second = this.#buffers.length === 1 && this.#left > 0 ? bufferPool.takeFree() : undefined
    if (second !== undefined) this.#buffers.push(second)
    if (this.#buffers.length === 2) this.#which = 1 - this.#which
    this.#reading = this.#left > 0 && this.#buffers.length === 2
    this.#tell()
  }

  /** The chunk that was handed out is done with. */
  #release(): void {
    this.#ready = undefined
    if (this.#full) this.#handOut()
    if (this.#left > 0) this.#read()
  }

  readonly #abort = (): void => this.#fail(this.#options.signal?.reason as Error)

  #fail(error: Error): void {
    if (this.#left > 0) this.#failure ??= error
    this.#tell()
  }

  #tell(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  async #change(): Promise<void> {
    this.#refuse()
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    if (this.#ready === undefined) this.#refuse()
  }

  #refuse(): void {
    if (this.#failure !== undefined) throw this.#failure
  }
}
