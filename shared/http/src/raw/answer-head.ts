import { CarryallError } from '@carryall/errors'

/** Status and headers of an answer, as they came. */
export interface AnswerHead {
  readonly status: number
  /** Values by lower-case name. */
  readonly headers: ReadonlyMap<string, readonly string[]>
  /** Bytes of the head, its empty line included. */
  readonly length: number
}

const MAX_HEAD = 64 * 1024

/** Reads the head of an HTTP/1.1 answer (RFC 9112 §2); undefined while it is not all there. Throws REG_PROTOCOL. */
export function readAnswerHead(bytes: Buffer, host: string): AnswerHead | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) {
    if (bytes.length > MAX_HEAD) throw notHttp(host, `a head of more than ${MAX_HEAD} bytes`)
    return undefined
  }
  const [first = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  const status = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(first)?.[1]
  if (status === undefined) throw notHttp(host, `"${first.slice(0, 60)}"`)
  const headers = new Map<string, string[]>()
  for (const line of lines) {
    const [, name, value] = /^([!#$%&'*+.^`|~\w-]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? []
    if (name === undefined || value === undefined)
      throw notHttp(host, `the header line "${line.slice(0, 60)}"`)
    const key = name.toLowerCase()
    headers.set(key, [...(headers.get(key) ?? []), value])
  }
  return { status: Number(status), headers, length: end + 4 }
}

/** The length of the body that follows; undefined where the head does not say it in one way. */
export function bodyLength({ headers }: AnswerHead): number | undefined {
  const [length, ...more] = headers.get('content-length') ?? []
  if (length === undefined || more.length > 0 || headers.has('transfer-encoding')) return undefined
  return /^\d{1,15}$/.test(length) ? Number(length) : undefined
}

function notHttp(host: string, what: string): CarryallError {
  return new CarryallError('REG_PROTOCOL', `${host} does not answer in HTTP/1.1: ${what}`, {
    subject: { kind: 'host', name: host },
  })
}
