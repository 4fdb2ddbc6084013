import { CarryallError, type ErrorDetails } from '@carryall/errors'

const TIMEOUTS = new Set([
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'ETIMEDOUT',
])
const TLS =
  /^(?:ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CRL_|ERROR_IN_CERT|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_|HOSTNAME_MISMATCH|EPROTO$)/
const SPEAKS_HTTP = new Set([
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
  'ERR_SSL_HTTP_REQUEST',
])
const RESOLVE = new Set(['ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'EAI_NONAME'])

/**
 * What the transport threw for a request, as ours: NET_TLS, NET_TIMEOUT, NET_UNAVAILABLE or, for an answer that is not
 * HTTP, REG_PROTOCOL. Host and port are named; our own errors pass.
 */
export function networkError(error: unknown, method: string, url: URL): unknown {
  if (error instanceof CarryallError || !(error instanceof Error)) return error
  const code = codeOf(error) ?? (error.name === 'HTTPParserError' ? 'HPE_INVALID' : undefined)
  // Without a code, or called wrongly, it is a bug of ours.
  if (code === undefined || code === 'UND_ERR_INVALID_ARG') return error
  const what = `${method} ${url.origin}${url.pathname}`
  const host = url.host.includes(':') ? url.host : `${url.host}:${url.protocol === 'https:' ? 443 : 80}`
  const details: ErrorDetails = { subject: { kind: 'host', name: host }, actual: code, cause: error }
  if (TLS.test(code)) {
    return new CarryallError('NET_TLS', `Cannot speak TLS with ${host}: ${code}`, {
      ...details,
      hint: SPEAKS_HTTP.has(code)
        ? `${host} does not answer with TLS: correct the port, or allow plain http for it`
        : `Put the authority of ${host} into /etc/containers/certs.d/${url.host}/ca.crt, or give its file by the flag for it (-h names it, and the one that weakens the check)`,
    })
  }
  if (TIMEOUTS.has(code)) {
    return new CarryallError('NET_TIMEOUT', `No answer in time from ${host} to ${what}`, {
      ...details,
      hint: `Check the way to ${host} and run the same command again`,
      retryable: true,
    })
  }
  if (code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW') {
    return new CarryallError('REG_PROTOCOL', `${host} does not answer ${what} in HTTP: ${code}`, details)
  }
  if (code === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH') {
    return new CarryallError('SIZE_MISMATCH', `The body of ${what} does not have the size announced`, details)
  }
  if (RESOLVE.has(code)) {
    return new CarryallError(
      'NET_UNAVAILABLE',
      `Cannot find the address of ${url.hostname} for ${host}: ${code}`,
      {
        ...details,
        hint: `Check the spelling of ${url.hostname} and the name servers`,
        // A name that does not exist is a misspelling far more often than a fault that passes.
        retryable: code === 'EAI_AGAIN',
      },
    )
  }
  return new CarryallError('NET_UNAVAILABLE', `Cannot reach ${host} for ${what}: ${code}`, {
    ...details,
    hint: `Check that ${host} is up and reachable, and run the same command again`,
    retryable: true,
  })
}

/** True where a TLS handshake failed because the other side speaks plain http, or hung up on it. */
export function speaksPlainHttp(error: unknown): boolean {
  if (!(error instanceof CarryallError) || !(error.cause instanceof Error)) return false
  const code = codeOf(error.cause) ?? ''
  return SPEAKS_HTTP.has(code) || /before secure TLS connection/.test(error.cause.message)
}

/** The innermost code: undici wraps what the socket threw. */
function codeOf(error: Error): string | undefined {
  const own = (error as NodeJS.ErrnoException).code
  const inner = error.cause instanceof Error ? codeOf(error.cause) : undefined
  const text = inner ?? own
  return typeof text === 'string' ? text : undefined
}
