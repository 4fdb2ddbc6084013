export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
export type HeaderValues = Readonly<Record<string, string>>

export interface HttpRequest {
  readonly method: Method
  readonly url: URL
  /** On a redirect to another origin only Accept, Range and User-Agent go along. */
  readonly headers?: HeaderValues
  /** A function is called once per attempt; the connection is made, or taken, when its first bytes are there. */
  readonly body?: Buffer | (() => AsyncIterable<Buffer>)
  /** Bytes of a streamed body, sent as Content-Length; without it the body is sent in chunks. */
  readonly size?: number
  /** About how many bytes of body the answer has, where that is known: large ones are received with less effort. */
  readonly expect?: number
  /** True where the body itself is a secret, so that it is as protected as an Authorization header. */
  readonly secretBody?: boolean
  readonly signal?: AbortSignal
  /** True where a failed attempt may be repeated; by default for GET and HEAD. */
  readonly idempotent?: boolean
  /**
   * What an answer of 408, 429, 500, 502, 503 or 504 with this body really says, where that is not "not now": thrown in
   * place of an error that is retryable.
   */
  readonly explain?: (status: number, body: string) => Error | undefined
  /** Credentials as headers; asked for each attempt and each hop, but only for the origin of `url`. */
  readonly authorize?: (url: URL) => HeaderValues | Promise<HeaderValues>
}
