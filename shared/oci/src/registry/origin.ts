import { CarryallError } from '@carryall/errors'
import type { HttpResponse } from '@carryall/http'

/**
 * A URL that a registry announces for what comes next (an upload's Location, the Link of a page), resolved against the
 * answer. It has to be of the answer's own origin: scheme, host and port. Throws NET_ORIGIN_REFUSED, REG_PROTOCOL.
 */
export function ownUrl(text: string | undefined, answer: HttpResponse, what: string): URL {
  const { host, origin } = answer.url
  if (text === undefined || !URL.canParse(text, answer.url)) {
    throw new CarryallError(
      'REG_PROTOCOL',
      `${host} announces no usable ${what}: "${(text ?? '').slice(0, 200)}"`,
      {
        subject: { kind: 'host', name: host },
      },
    )
  }
  const url = new URL(text, answer.url)
  if (url.origin === origin && !url.username && !url.password) return url
  throw new CarryallError(
    'NET_ORIGIN_REFUSED',
    `Refused the ${what} that ${origin} announces at ${url.protocol}//${url.host}`,
    {
      subject: { kind: 'host', name: url.host },
      expected: origin,
      actual: url.origin,
      hint: `Let ${host} announce its own address: behind a proxy, have it pass Host and X-Forwarded-Proto, or turn relative URLs on`,
    },
  )
}
