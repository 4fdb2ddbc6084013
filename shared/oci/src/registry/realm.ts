import { CarryallError } from '@carryall/errors'
import { checkHop, isNamed } from '@carryall/http'
import { isSameSite } from './same-site.ts'

/**
 * The token server that a registry announces, if it may be asked: https unless the registry itself is plain http, on the
 * same host, of the same owner (`isSameSite`), or one of `allowed`. Throws NET_ORIGIN_REFUSED, REG_PROTOCOL
 * (DESIGN §6.6).
 */
export function checkRealm(realm: string, registry: URL, allowed: readonly string[]): URL {
  if (!URL.canParse(realm)) {
    throw new CarryallError(
      'REG_PROTOCOL',
      `${registry.host} announces a token server that is no URL: "${realm.slice(0, 200)}"`,
      {
        subject: { kind: 'host', name: registry.host },
      },
    )
  }
  const url = new URL(realm)
  checkHop(registry, url)
  if (isSameSite(url.hostname, registry.hostname) || isNamed(url, allowed)) return url
  throw new CarryallError(
    'NET_ORIGIN_REFUSED',
    `Refused the token server ${url.host} that ${registry.host} announces`,
    {
      subject: { kind: 'host', name: url.host },
      expected: registry.host,
      actual: url.host,
      hint: `If ${url.host} is the token server of ${registry.host}, give --allow-realm ${url.host}`,
    },
  )
}
