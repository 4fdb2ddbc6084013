import { Worker } from 'node:worker_threads'
import { digestWorker, type FromWorker, type ToWorker } from './digest-worker.ts'

type Settle = (result: FromWorker | Error) => void

/** The one hashing thread of this process. It starts with its first job and keeps the process alive only while it has one. */
export class DigestThread {
  static #running: DigestThread | undefined
  readonly #worker: Worker
  readonly #jobs = new Map<number, Settle>()
  #last = 0

  static get(): DigestThread {
    return (DigestThread.#running ??= new DigestThread())
  }

  private constructor() {
    // Node's own flags are for the tool: one like --input-type would change how this text is read.
    const options = { eval: true, name: 'digest', execArgv: [] }
    this.#worker = new Worker(`(${digestWorker.toString()})(require)`, options)
    this.#worker.unref()
    this.#worker.on('message', (message: FromWorker) => this.#settle(message.id, message))
    this.#worker.on('error', (error: Error) => this.#fail(error))
    this.#worker.on('exit', (code) => this.#fail(new Error(`The hashing thread ended with ${code}`)))
  }

  /** Starts a job; `settle` is called once, unless the job is ended before. */
  start(file: { readonly path: string } | { readonly fd: number }, size: number, settle: Settle): number {
    const id = (this.#last += 1)
    this.#jobs.set(id, settle)
    this.#worker.ref()
    this.#post({ id, open: file, size })
    return id
  }

  advance(id: number, limit: number): void {
    if (this.#jobs.has(id)) this.#post({ id, limit })
  }

  cancel(id: number): void {
    if (this.#jobs.has(id)) this.#post({ id, cancel: true })
    this.#drop(id)
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message)
  }

  #settle(id: number, result: FromWorker | Error): void {
    const settle = this.#jobs.get(id)
    this.#drop(id)
    settle?.(result)
  }

  #drop(id: number): void {
    this.#jobs.delete(id)
    if (this.#jobs.size === 0) this.#worker.unref()
  }

  #fail(error: Error): void {
    if (DigestThread.#running === this) DigestThread.#running = undefined
    for (const id of [...this.#jobs.keys()]) this.#settle(id, error)
  }
}
