import { open } from 'node:fs/promises'
import { checkSecretMode } from '@carryall/durable'
import { CarryallError, fromSystemError } from '@carryall/errors'

/** User names with their bcrypt hashes. */
export type Users = ReadonlyMap<string, string>

const MAX_BYTES = 4 * 1024 * 1024
const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/
// A check of cost 14 takes about a second; one of cost 31 would take days, and stand in everybody's way.
const COSTS = { least: 4, most: 14 }

/**
 * Reads a file of `user:hash` lines as Apache's htpasswd writes it; empty lines and comments are passed over. Throws
 * AUTH_FILE_INVALID with the line, FILE_MODE_UNSAFE where others than its owner may write to it, INPUT_NOT_FOUND.
 */
export async function readHtpasswd(path: string): Promise<Users> {
  try {
    await using file = await open(path)
    const status = await file.stat()
    // Hashes may be read by others, as `htpasswd -c` leaves them.
    checkSecretMode(path, { uid: status.uid, mode: status.mode & ~0o044 })
    if (status.size > MAX_BYTES) throw invalid(path, undefined, `it has more than ${MAX_BYTES} bytes`)
    return parseHtpasswd(await file.readFile('utf8'), path)
  } catch (error) {
    throw fromSystemError(error, `read "${path}"`)
  }
}

/** The lines of such a file; `path` is for messages. Throws AUTH_FILE_INVALID. */
export function parseHtpasswd(text: string, path: string): Users {
  const users = new Map<string, string>()
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const colon = line.indexOf(':')
    const user = line.slice(0, Math.max(colon, 0))
    if (user === '') throw invalid(path, index + 1, 'it is not "user:hash"')
    if (users.has(user)) throw invalid(path, index + 1, `the user "${user}" is there twice`)
    const hash = line.slice(colon + 1)
    const cost = Number(BCRYPT.exec(hash)?.[1] ?? NaN)
    if (Number.isNaN(cost)) throw invalid(path, index + 1, `the hash of "${user}" is not a bcrypt hash`)
    if (cost < COSTS.least || cost > COSTS.most)
      throw invalid(path, index + 1, `the cost of "${user}" is ${cost}, not ${COSTS.least} to ${COSTS.most}`)
    users.set(user, hash)
  }
  if (users.size === 0) throw invalid(path, undefined, 'there is no user in it')
  return users
}

/** The cost of a bcrypt hash, a power of two. */
export function costOf(hash: string): number {
  return Number(BCRYPT.exec(hash)![1])
}

function invalid(path: string, line: number | undefined, why: string): CarryallError {
  const where = line === undefined ? '' : ` in line ${line}`
  return new CarryallError('AUTH_FILE_INVALID', `Cannot use the password file "${path}"${where}: ${why}`, {
    hint: `Set the password again with "htpasswd -B ${path} USER"`,
    subject: { kind: 'file', name: path },
    location: { file: path, ...(line === undefined ? {} : { line }) },
  })
}
