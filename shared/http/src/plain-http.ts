import { CarryallError } from '@carryall/errors'
import { isLoopback } from './address-rules.ts'

/**
 * Lets https, loopback and the hosts of `allowed` (`host` or `host:port`) pass. Any other plain http needs `unverified`, and
 * carries no secret even so. Throws NET_PLAIN_HTTP_REFUSED.
 */
export function checkPlainHttp(
  url: URL,
  rule: { readonly allowed: readonly string[]; readonly unverified: boolean; readonly secret: boolean },
): void {
  if (url.protocol === 'https:' || isLoopback(url.hostname) || isNamed(url, rule.allowed)) return
  if (rule.unverified && !rule.secret) return
  const what = rule.secret ? 'send credentials' : 'speak'
  throw new CarryallError('NET_PLAIN_HTTP_REFUSED', `Refused to ${what} over plain http with ${url.host}`, {
    subject: { kind: 'host', name: url.host },
    hint: `Use https; if ${url.host} is trusted and near, give --plain-http ${url.host}`,
  })
}

/** True where one of `hosts` (`host` for any port, or `host:port`) names the URL's host. */
export function isNamed(url: URL, hosts: readonly string[]): boolean {
  const names = [
    url.hostname,
    url.host,
    `${url.hostname}:${url.port || (url.protocol === 'https:' ? '443' : '80')}`,
  ]
  return hosts.some((host) => names.includes(host.toLowerCase()))
}
