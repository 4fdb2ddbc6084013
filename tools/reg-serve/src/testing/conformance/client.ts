import { hash } from 'node:crypto'
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { Agent as SecureAgent, request as httpsRequest } from 'node:https'
import { expect } from 'vitest'

/** A registry under test. */
export interface Target {
  /** `http://HOST:PORT` or https. */
  readonly url: string
  /** PEM of the authority that a server's certificate is of. */
  readonly ca?: Buffer
  /** Sent with every request. */
  readonly authorization?: string
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** What was asked: a Location is relative to it. */
  readonly url: URL
}

export interface Call {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer | string
  /** Sends the body in pieces, without saying how long it is. */
  readonly streamed?: boolean
}

/** Codes of distribution-spec: error codes. */
const CODES = [
  'BLOB_UNKNOWN',
  'BLOB_UPLOAD_INVALID',
  'BLOB_UPLOAD_UNKNOWN',
  'DENIED',
  'DIGEST_INVALID',
  'MANIFEST_BLOB_UNKNOWN',
  'MANIFEST_INVALID',
  'MANIFEST_UNKNOWN',
  'NAME_INVALID',
  'NAME_UNKNOWN',
  'SIZE_INVALID',
  'TOOMANYREQUESTS',
  'UNAUTHORIZED',
  'UNSUPPORTED',
]

/** Speaks to a registry as a client does that trusts nothing: what is wrong with any answer at all is found here. */
export class RegistryClient {
  readonly #target: Target
  readonly #agent: Agent

  constructor(target: Target) {
    this.#target = target
    this.#agent = target.url.startsWith('https:')
      ? new SecureAgent({ keepAlive: true, ca: target.ca })
      : new Agent({ keepAlive: true })
  }

  async call(method: string, where: string | URL, call: Call = {}): Promise<Answer> {
    const url = new URL(where, this.#target.url)
    const answer = await this.#send(method, url, call)
    wellFormed(method, answer)
    return answer
  }

  close(): void {
    this.#agent.destroy()
  }

  async #send(method: string, url: URL, { headers, body, streamed = false }: Call): Promise<Answer> {
    const { authorization } = this.#target
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
      method,
      agent: this.#agent,
      headers: {
        ...(authorization === undefined ? {} : { authorization }),
        ...(body === undefined || streamed ? {} : { 'content-length': Buffer.byteLength(body) }),
        ...headers,
      },
    })
    if (body !== undefined && streamed) for (const part of parts(Buffer.from(body))) request.write(part)
    request.end(streamed ? undefined : body)
    return new Promise((resolve, reject) => {
      request.once('error', reject)
      request.once('response', (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.once('error', reject)
        response.once('end', () =>
          resolve({
            status: response.statusCode!,
            headers: response.headers,
            body: Buffer.concat(chunks),
            url,
          }),
        )
      })
    })
  }
}

/** Where an answer leads to. */
export function locationOf({ headers, url }: Answer, query: Readonly<Record<string, string>> = {}): URL {
  expect(headers.location).toBeTypeOf('string')
  const location = new URL(headers.location!, url)
  for (const [name, value] of Object.entries(query)) location.searchParams.set(name, value)
  return location
}

/** The first error code of an answer. */
export function codeOf({ body }: Answer): string | undefined {
  return (JSON.parse(body.toString()) as { errors: { code: string }[] }).errors[0]?.code
}

export function sha256(bytes: Buffer | string): string {
  return `sha256:${hash('sha256', bytes)}`
}

function wellFormed(method: string, { status, headers, body }: Answer): void {
  expect(status, `${method} is the server's fault`).toBeLessThan(500)
  if (method === 'HEAD' || status === 204) expect(body).toHaveLength(0)
  if (status >= 400 && method !== 'HEAD' && /json/.test(headers['content-type'] ?? '')) {
    const { errors } = JSON.parse(body.toString()) as { errors: { code: string; message?: unknown }[] }
    expect(errors.length).toBeGreaterThan(0)
    for (const { code, message } of errors) {
      expect(CODES).toContain(code)
      if (message !== undefined) expect(message).toBeTypeOf('string')
    }
  }
  if (status === 405) expect(headers.allow).toBeTypeOf('string')
  const warnings = [headers.warning ?? []].flat()
  for (const warning of warnings)
    expect(warning).toMatch(/^299 - "(?:[^"\\]|\\.)*"(?:, 299 - "(?:[^"\\]|\\.)*")*$/)
  expect(warnings.join('').length).toBeLessThanOrEqual(4096)
}

function parts(bytes: Buffer): Buffer[] {
  const size = Math.max(Math.ceil(bytes.length / 3), 1)
  return [0, 1, 2]
    .map((each) => bytes.subarray(each * size, (each + 1) * size))
    .filter((part) => part.length > 0)
}
