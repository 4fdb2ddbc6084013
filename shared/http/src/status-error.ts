import { CarryallError, escapeControls, redact } from '@carryall/errors'
import type { HttpRequest } from './request.ts'
import type { HttpResponse } from './response.ts'
import { retryAfter } from './retry-after.ts'

const TRANSIENT = new Set([408, 429, 500, 502, 503, 504])
const SHOWN = 200

/** True for the answers that say "not now": 408, 429, 500, 502, 503, 504. */
export function isTransient(status: number): boolean {
  return TRANSIENT.has(status)
}

/**
 * A transient answer as a retryable error, NET_RATE_LIMITED for 429, else NET_UNAVAILABLE, with what the body says; or what
 * the request itself makes of it.
 */
export async function statusError(
  answer: HttpResponse,
  { method, explain }: Pick<HttpRequest, 'method' | 'explain'>,
): Promise<Error> {
  const said = (await answer.bytes(64 * 1024).catch(() => Buffer.alloc(0))).toString('utf8')
  const explained = explain?.(answer.status, said)
  if (explained !== undefined) return explained
  const text = escapeControls(redact(said)).replaceAll(/\s+/g, ' ').trim().slice(0, SHOWN)
  const after = retryAfter(answer.header('retry-after'), Date.now())
  const limited = answer.status === 429
  const { host } = answer.url
  return new CarryallError(
    limited ? 'NET_RATE_LIMITED' : 'NET_UNAVAILABLE',
    `${host} answers ${answer.status} to ${method} ${answer.url.pathname}${text ? `: ${text}` : ''}`,
    {
      subject: { kind: 'host', name: host },
      actual: answer.status,
      retryable: true,
      ...(after === undefined ? {} : { retryAfterMs: after }),
      hint: limited
        ? `Wait, log in to ${host}, or ask for less at a time, and run the same command again`
        : `See the log of ${host}, and run the same command again`,
    },
  )
}
