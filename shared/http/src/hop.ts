import { CarryallError } from '@carryall/errors'
import { isLinkLocal, isLoopback, isUnspecified } from './address-rules.ts'

const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** True for an answer that sends a GET or HEAD somewhere else. */
export function isRedirect(status: number): boolean {
  return REDIRECTS.has(status)
}

/**
 * Where a server may send us from `from`: http or https, not down from https, no user in it, not to a link-local
 * address, and not to this machine from another one. Throws NET_ORIGIN_REFUSED.
 */
export function checkHop(from: URL, to: URL): void {
  const why = refusal(from, to)
  if (why === undefined) return
  throw new CarryallError(
    'NET_ORIGIN_REFUSED',
    `Refused to go from ${from.origin} to ${to.protocol}//${to.host}: ${why}`,
    {
      subject: { kind: 'host', name: to.host },
      hint: `Correct the configuration of ${from.host}; it announces a place that is not followed`,
    },
  )
}

function refusal(from: URL, to: URL): string | undefined {
  if (to.protocol !== 'https:' && to.protocol !== 'http:') return `${to.protocol} is not http`
  if (from.protocol === 'https:' && to.protocol === 'http:') return 'it leaves https'
  if (to.username || to.password) return 'it names a user'
  if (isLinkLocal(to.hostname)) return 'it is a link-local address'
  const here = isLoopback(to.hostname) || isUnspecified(to.hostname)
  return here && !isLoopback(from.hostname) ? 'it is this machine' : undefined
}
