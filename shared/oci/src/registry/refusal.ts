import { CarryallError, type ErrorCode, escapeControls, redact, type Subject } from '@carryall/errors'
import type { HttpResponse } from '@carryall/http'

const SHOWN = 200
const MAX_BODY = 64 * 1024
const IMMUTABLE = new Set(['TAG_IMMUTABLE', 'TAG_ALREADY_EXISTS'])

/** What a registry says in an error's body (distribution-spec: error codes), short and safe to show. */
export interface RegistryError {
  readonly code?: string
  readonly message: string
}

/** Reads the body of a failed answer; one that is not the registry's JSON becomes the message. */
export async function registryError(answer: HttpResponse): Promise<RegistryError> {
  const bytes = await answer.bytes(MAX_BODY).catch(() => Buffer.alloc(0))
  return errorIn(bytes.toString('utf8'))
}

/** The same for a body that is known already. */
export function errorIn(text: string): RegistryError {
  try {
    const [first] = (JSON.parse(text) as { errors: readonly { code?: unknown; message?: unknown }[] }).errors
    const code =
      typeof first?.code === 'string' && /^[A-Z_]{1,64}$/.test(first.code) ? { code: first.code } : {}
    return { ...code, message: typeof first?.message === 'string' ? show(first.message) : '' }
  } catch {
    return { message: /^\s*</.test(text) ? '' : show(text) }
  }
}

/**
 * An answer of 300 and above as an error: AUTH_DENIED for 401 and 403, TAG_CONFLICT where a tag is immutable, REG_PROTOCOL
 * for a redirect that is not followed, else REG_REFUSED. `actual` is the registry's own code, or the status.
 */
export async function refusal(
  answer: HttpResponse,
  action: string,
  subject: Subject,
): Promise<CarryallError> {
  const said = await registryError(answer)
  return refused(answer, said, action, subject)
}

/** `refusal` for a body that has been read already; `retryable` where the same request may be taken later. */
export function refused(
  answer: HttpResponse,
  said: RegistryError,
  action: string,
  subject: Subject,
  retryable = false,
): CarryallError {
  const { host } = answer.url
  const words = [said.code, said.message].filter(Boolean).join(': ')
  const code = errorCode(answer.status, said, subject)
  return new CarryallError(
    code,
    `${host} refuses to ${action}: ${answer.status}${words ? ` ${words}` : ''}`,
    {
      subject,
      actual: said.code ?? answer.status,
      hint: HINTS[code]!(host),
      ...(retryable ? { retryable } : {}),
    },
  )
}

const HINTS: Partial<Record<ErrorCode, (host: string) => string>> = {
  AUTH_DENIED: (host) => `Ask for the right to do this on ${host}, or log in as someone who has it`,
  TAG_CONFLICT: (host) => `The tag may not move on ${host}; choose another one or change the rule there`,
  REG_PROTOCOL: (host) => `Name the registry by the address that ${host} redirects to`,
  REG_REFUSED: (host) => `See the log of ${host} for the reason`,
}

function errorCode(status: number, said: RegistryError, subject: Subject): ErrorCode {
  if (status === 401 || status === 403) return 'AUTH_DENIED'
  if (subject.kind === 'tag' && (status === 412 || IMMUTABLE.has(said.code ?? ''))) return 'TAG_CONFLICT'
  return status < 400 ? 'REG_PROTOCOL' : 'REG_REFUSED'
}

function show(text: string): string {
  return escapeControls(redact(text)).replaceAll(/\s+/g, ' ').trim().slice(0, SHOWN)
}
