import type { IncomingMessage } from 'node:http'
import type { Verdict } from '../login/logins.ts'
import { Refusal } from './refusal.ts'

/** Judges a login that comes from an address. */
export interface Judge {
  check(address: string, user: string, password: string): Promise<Verdict>
}

/** What clients are asked for (RFC 7617). */
export const CHALLENGE = 'Basic realm="reg-serve"'

/**
 * The user whose right login a request carries; undefined where it carries none. Throws a Refusal: 401 for a wrong one, 429
 * for a client that has failed too often.
 */
export async function identify(request: IncomingMessage, judge: Judge): Promise<string | undefined> {
  const header = request.headers.authorization
  if (header === undefined) return undefined
  const encoded = /^basic +([A-Za-z0-9+/]{0,4096}={0,2}) *$/i.exec(header)?.[1]
  if (encoded === undefined) throw loginWanted()
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  // Clients that have no login and have seen that one is possible send an empty one.
  if (text === ':') return undefined
  const user = text.slice(0, Math.max(colon, 0))
  const verdict = await judge.check(request.socket.remoteAddress ?? '', user, text.slice(colon + 1))
  if (verdict === 'right') return user
  if (verdict === 'wrong') throw new Refusal(401, 'UNAUTHORIZED', 'The login is wrong', challenge())
  throw new Refusal(429, 'TOOMANYREQUESTS', 'Too many logins have failed', {
    'retry-after': String(verdict.retry),
  })
}

/** The answer to a request that needs a login and has none. */
export function loginWanted(): Refusal {
  return new Refusal(401, 'UNAUTHORIZED', 'A login is wanted', challenge())
}

function challenge(): Readonly<Record<string, string>> {
  return { 'www-authenticate': CHALLENGE }
}
