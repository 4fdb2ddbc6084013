import { randomUUID } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureDirectory } from '@carryall/durable'
import { fromSystemError } from '@carryall/errors'
import { Refusal } from './refusal.ts'
import { UploadSession } from './upload-session.ts'

const MAX_SESSIONS = 1000
const CHECK_MS = 30_000

/** The uploads in progress of one server. Those that nobody goes on with expire; none outlives the server. */
export class UploadSessions {
  readonly #directory: string
  readonly #idleMs: number
  readonly #sessions = new Map<string, UploadSession>()
  readonly #timer: NodeJS.Timeout

  private constructor(directory: string, idleMs: number) {
    this.#directory = directory
    this.#idleMs = idleMs
    this.#timer = setInterval(() => void this.#expire(), Math.min(CHECK_MS, idleMs))
    this.#timer.unref()
  }

  /** Starts with an empty directory: what lies there was left by a server that was killed, and nobody can go on with it. */
  static async create(directory: string, idleSeconds: number): Promise<UploadSessions> {
    try {
      await ensureDirectory(directory)
      for (const name of await readdir(directory)) await rm(join(directory, name), { force: true })
    } catch (error) {
      throw fromSystemError(error, `clear the upload directory "${directory}"`)
    }
    return new UploadSessions(directory, idleSeconds * 1000)
  }

  open(repository: string): UploadSession {
    if (this.#sessions.size >= MAX_SESSIONS) {
      throw new Refusal(429, 'TOOMANYREQUESTS', `There are ${MAX_SESSIONS} uploads in progress`, {
        'retry-after': '5',
      })
    }
    const id = randomUUID()
    const session = new UploadSession(id, repository, join(this.#directory, id), Date.now())
    this.#sessions.set(id, session)
    return session
  }

  /** Throws a Refusal: 404 where there is none of this name in this repository. */
  get(repository: string, id: string): UploadSession {
    const session = this.#sessions.get(id)
    if (session !== undefined && session.repository === repository) return session
    throw new Refusal(
      404,
      'BLOB_UPLOAD_UNKNOWN',
      'There is no such upload; it was finished, cancelled or has expired',
    )
  }

  /** Runs one request on a session; a second one at the same time is refused with 409. */
  async exclusively<T>(session: UploadSession, use: () => Promise<T>): Promise<T> {
    if (session.busy)
      throw new Refusal(409, 'BLOB_UPLOAD_INVALID', 'Another request is sending to this upload')
    session.busy = true
    try {
      return await use()
    } finally {
      session.busy = false
      session.used = Date.now()
    }
  }

  async remove(session: UploadSession): Promise<void> {
    this.#sessions.delete(session.id)
    await session.remove()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all([...this.#sessions.values()].map((session) => this.remove(session)))
  }

  async #expire(): Promise<void> {
    const before = Date.now() - this.#idleMs
    for (const session of this.#sessions.values()) {
      // What cannot be removed now is removed at the next start.
      if (!session.busy && session.used < before) await this.remove(session).catch(() => undefined)
    }
  }
}
