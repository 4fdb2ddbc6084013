/** To the worker. A job reads `path`, or the descriptor `fd` of this process, up to `limit` and no further. */
export type ToWorker =
  | {
      readonly id: number
      readonly open: { readonly path: string } | { readonly fd: number }
      readonly size: number
    }
  | { readonly id: number; readonly limit: number }
  | { readonly id: number; readonly cancel: true }

/** From the worker: the end of a job. */
export type FromWorker =
  | { readonly id: number; readonly digest: string }
  | {
      readonly id: number
      readonly error: { readonly message: string; readonly code?: string; readonly errno?: number }
    }

interface Job {
  readonly id: number
  readonly fd: number
  readonly owned: boolean
  readonly size: number
  readonly hash: import('node:crypto').Hash
  limit: number
  position: number
}

/**
 * The body of the hashing thread. It is started from its own source text, so it refers to nothing outside itself, and
 * its parts are methods of one object: a bundler's helpers (for names, say) would not be there.
 */
export function digestWorker(load: (name: string) => unknown): void {
  const { closeSync, openSync, readSync } = load('node:fs') as typeof import('node:fs')
  const { createHash } = load('node:crypto') as typeof import('node:crypto')
  const port = (load('node:worker_threads') as typeof import('node:worker_threads')).parentPort!
  const buffer = Buffer.allocUnsafeSlow(1024 * 1024)
  const jobs = new Map<number, Job>()

  const worker = {
    scheduled: false,

    receive(message: ToWorker) {
      if ('open' in message) this.start(message.id, message.open, message.size)
      const job = jobs.get(message.id)
      if (job === undefined) return
      if ('cancel' in message) return this.end(job)
      if ('limit' in message) job.limit = Math.max(job.limit, Math.min(message.limit, job.size))
      this.schedule()
    },

    start(id: number, file: { readonly path: string } | { readonly fd: number }, size: number) {
      try {
        const owned = 'path' in file
        const fd = owned ? openSync(file.path, 'r') : file.fd
        jobs.set(id, { id, fd, owned, size, hash: createHash('sha256'), limit: 0, position: 0 })
      } catch (error) {
        this.fail(id, error)
      }
    },

    /** One buffer for each job in turn, so that a cancelled job and a new one wait no longer than that. */
    schedule() {
      if (this.scheduled) return
      this.scheduled = true
      setImmediate(() => {
        this.scheduled = false
        for (const job of jobs.values()) this.step(job)
        for (const job of jobs.values()) if (job.position < job.limit) this.schedule()
      })
    },

    step(job: Job) {
      try {
        const wanted = Math.min(buffer.length, job.limit - job.position)
        const read = wanted === 0 ? 0 : readSync(job.fd, buffer, 0, wanted, job.position)
        if (read === 0 && wanted > 0) throw new Error(`It ends at byte ${job.position} of ${job.size}`)
        job.hash.update(buffer.subarray(0, read))
        job.position += read
        if (job.position < job.size) return
        const digest = `sha256:${job.hash.digest('hex')}`
        this.end(job)
        port.postMessage({ id: job.id, digest } satisfies FromWorker)
      } catch (error) {
        this.end(job)
        this.fail(job.id, error)
      }
    },

    end(job: Job) {
      jobs.delete(job.id)
      if (job.owned) closeSync(job.fd)
    },

    fail(id: number, error: unknown) {
      const { message, code, errno } = error as NodeJS.ErrnoException
      port.postMessage({
        id,
        error: {
          message,
          ...(code === undefined ? {} : { code }),
          ...(errno === undefined ? {} : { errno }),
        },
      } satisfies FromWorker)
    },
  }
  port.on('message', (message: ToWorker) => worker.receive(message))
}
