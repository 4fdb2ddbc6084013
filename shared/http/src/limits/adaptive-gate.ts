/** Uploads have places of their own: one may wait for a download from the same host. */
export type Lane = 'up' | 'down'

/** A place that was taken; `leave` gives it back. */
export interface Place {
  readonly lane: Lane
  /** How often the gate had been narrowed when it was taken. */
  readonly epoch: number
}

interface Queue {
  busy: number
  readonly waiting: (() => void)[]
}

/**
 * Places for requests that wait for their answer, in the order of the calls. Their number is halved when the host is
 * overtaxed and grows by one, up to `most`, whenever that many requests in a row have gone well (AIMD).
 */
export class AdaptiveGate {
  readonly #most: number
  readonly #queues: Readonly<Record<Lane, Queue>> = {
    up: { busy: 0, waiting: [] },
    down: { busy: 0, waiting: [] },
  }
  #places: number
  #epoch = 0
  #well = 0

  constructor(most: number) {
    this.#most = most
    this.#places = most
  }

  /** Takes a place; an aborted wait rejects with the signal's reason. */
  async enter(lane: Lane, signal: AbortSignal | undefined): Promise<Place> {
    signal?.throwIfAborted()
    const queue = this.#queues[lane]
    if (queue.busy >= this.#places) await wait(queue, signal)
    else queue.busy += 1
    return { lane, epoch: this.#epoch }
  }

  leave({ lane }: Place): void {
    const queue = this.#queues[lane]
    queue.busy -= 1
    this.#admit(queue)
  }

  /** The request went well. */
  widen({ epoch }: Place): void {
    if (epoch !== this.#epoch || this.#places >= this.#most) return
    this.#well += 1
    if (this.#well < this.#places) return
    this.#well = 0
    this.#places += 1
    for (const queue of Object.values(this.#queues)) this.#admit(queue)
  }

  /**
   * The host is overtaxed. What is under way together is one word of the host: only a request that began after the last
   * narrowing narrows again. The places that are left, undefined where nothing changes.
   */
  narrow({ epoch }: Place): number | undefined {
    if (epoch !== this.#epoch || this.#places === 1) return undefined
    this.#epoch += 1
    this.#well = 0
    this.#places = Math.max(1, Math.floor(this.#places / 2))
    return this.#places
  }

  #admit(queue: Queue): void {
    while (queue.busy < this.#places) {
      const next = queue.waiting.shift()
      if (next === undefined) return
      queue.busy += 1
      next()
    }
  }
}

function wait({ waiting }: Queue, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const go = (): void => {
      signal?.removeEventListener('abort', leave)
      resolve()
    }
    const leave = (): void => {
      waiting.splice(waiting.indexOf(go), 1)
      reject(signal!.reason as Error)
    }
    signal?.addEventListener('abort', leave, { once: true })
    waiting.push(go)
  })
}
