import { createHmac, randomBytes } from 'node:crypto'
import { costOf, type Users } from './htpasswd.ts'
import { LoginLimit } from './login-limit.ts'

/** `retry` is in seconds, for a client that may not try now. */
export type Verdict = 'right' | 'wrong' | { readonly retry: number }

const MAX_KNOWN = 1000
const MAX_WAITING = 64
// Beyond what bcrypt looks at, and far beyond what anybody types.
const MAX_PASSWORD = 1024

/**
 * Judges user names and passwords. What bcrypt has found right once is remembered until the users change, under a keyed hash:
 * no password stays in memory. One check runs at a time and clients that fail are slowed down, for a check costs what a
 * hundred requests cost.
 */
export class Logins {
  readonly #key = randomBytes(32)
  readonly #limit: LoginLimit
  #users: Users
  #decoy: string
  #known = new Map<string, Promise<Verdict>>()
  #waiting = 0
  #turn: Promise<unknown> = Promise.resolve()

  constructor(users: Users, now: () => number = () => performance.now()) {
    this.#limit = new LoginLimit(now)
    this.#users = users
    this.#decoy = dearest(users)
  }

  /** From now on these users count, and nobody else. */
  replace(users: Users): void {
    this.#users = users
    this.#decoy = dearest(users)
    this.#known = new Map()
  }

  /** `address` is where the client connects from. */
  async check(address: string, user: string, password: string): Promise<Verdict> {
    if (password.length > MAX_PASSWORD) return 'wrong'
    // A user name holds no colon: the two cannot be taken for two others.
    const key = createHmac('sha256', this.#key).update(`${user}:${password}`).digest('base64')
    // Kept to the end: a check that began before the users changed says nothing about the new ones.
    const known = this.#known
    const before = known.get(key)
    if (before !== undefined) return before
    const checking = this.#judge(address, user, password)
    known.set(key, checking)
    const verdict = await checking.catch((error: unknown) => {
      known.delete(key)
      throw error
    })
    // A wrong password is not remembered: it may be the right one after the next change, and costs its sender a try.
    if (verdict !== 'right') known.delete(key)
    else if (known.size > MAX_KNOWN) known.delete(known.keys().next().value!)
    return verdict
  }

  async #judge(address: string, user: string, password: string): Promise<Verdict> {
    if (this.#waiting >= MAX_WAITING) return { retry: 1 }
    const retry = this.#limit.take(address)
    if (retry > 0) return { retry }
    const hash = this.#users.get(user)
    // An unknown user takes as long as a known one: nobody finds out who is there.
    const right = (await this.#compare(password, hash ?? this.#decoy)) && hash !== undefined
    if (right) this.#limit.giveBack(address)
    return right ? 'right' : 'wrong'
  }

  async #compare(password: string, hash: string): Promise<boolean> {
    this.#waiting++
    const turn = this.#turn.then(async () => {
      const { compare } = await import('bcryptjs')
      return compare(password, hash)
    })
    this.#turn = turn.catch(() => undefined)
    return turn.finally(() => this.#waiting--)
  }
}

function dearest(users: Users): string {
  return [...users.values()].reduce((most, hash) => (costOf(hash) > costOf(most) ? hash : most))
}
