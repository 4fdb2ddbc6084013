import { parseChallenges } from './challenge.ts'
import type { Reached } from './reach.ts'
import { checkRealm } from './realm.ts'

/**
 * The token server that a registry names in its first answer, where it names one and it may be asked. Throws
 * NET_ORIGIN_REFUSED, REG_PROTOCOL (`checkRealm`).
 */
export function tokenServer({ base, answer }: Reached, allowed: readonly string[]): URL | undefined {
  const bearer = parseChallenges(answer.headers('www-authenticate')).find(
    ({ scheme, parameters }) => scheme === 'bearer' && parameters.realm !== undefined,
  )
  return bearer && checkRealm(bearer.parameters.realm!, base, allowed)
}
