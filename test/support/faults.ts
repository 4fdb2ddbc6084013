/** What goes wrong with one request. Positions count bytes of the body. */
export type Fault =
  /** Comes later, but comes. */
  | { readonly fault: 'delay'; readonly ms: number }
  /** The connection is torn down after `after` bytes of the answer. */
  | { readonly fault: 'reset'; readonly after: number }
  /** Nothing more comes after `after` bytes, and the connection stays. */
  | { readonly fault: 'stall'; readonly after: number }
  /** The body ends in good order after `after` bytes; its length was announced as it should be, or with `honest` as it is. */
  | { readonly fault: 'truncate'; readonly after: number; readonly honest?: true }
  /** The body comes in chunks, and the connection ends within the first one, after `after` bytes. */
  | { readonly fault: 'chunk'; readonly after: number }
  /** Content-Length says something else than the body has. */
  | { readonly fault: 'length'; readonly length: number }
  /** The registry got `after` bytes of the request's body, then both connections were torn down. */
  | { readonly fault: 'drop'; readonly after: number }
  /** The registry does what it is asked for, but its answer is lost: the connection is torn down, or kept in silence. */
  | { readonly fault: 'lost-reply'; readonly silent?: true }
  /** An answer that is made up; `code` in the registry's words, or `text`. */
  | {
      readonly fault: 'status'
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly code?: string
      readonly text?: string
    }
  /** 401, in the registry's own words where it has any, as if the token had expired. */
  | { readonly fault: 'expired' }
  /** 401, with a token server at this URL. */
  | { readonly fault: 'realm'; readonly to: string }
  /** The upload is gone: 404 BLOB_UPLOAD_UNKNOWN, to this request and to all that follow with its location. */
  | { readonly fault: 'lost-upload' }
  /** The answer is that of the registry, but for this digest in its header. */
  | { readonly fault: 'digest'; readonly digest: string }
  /** More bytes than there are, announced as they come. */
  | { readonly fault: 'extra'; readonly count: number }
  /** Other bytes of the same length. */
  | { readonly fault: 'bytes' }
  /** 200 to a HEAD, whatever there is: the digest that was asked for, and this size. */
  | { readonly fault: 'claim'; readonly size: number; readonly mediaType?: string }
  /** 404 until so many milliseconds have gone by since a PUT to the same path was answered. */
  | { readonly fault: 'late'; readonly ms: number }
  | { readonly fault: 'redirect'; readonly to: string }
  /** Link and Location name this origin. */
  | { readonly fault: 'foreign'; readonly to: string }

type StatusFault = Extract<Fault, { fault: 'status' }>

/** A refusal in the registry's own words. */
export function refusing(status: number, code: string): StatusFault {
  return { fault: 'status', status, code }
}

/** What a registry answers to writes while it is maintained: no JSON. */
export const READ_ONLY: StatusFault = {
  fault: 'status',
  status: 405,
  headers: { allow: 'GET, HEAD', 'content-type': 'text/plain; charset=utf-8' },
  text: '405 method not allowed',
}

export const OVER_QUOTA: StatusFault = refusing(403, 'DENIED')

/** 416 with the range that the server has, or claims to have. */
export function outOfRange(end: number): StatusFault {
  return { fault: 'status', status: 416, headers: { range: `0-${end}` } }
}

export function diskFull(status: 500 | 507): StatusFault {
  const text = 'write /var/lib/registry/docker: no space left on device'
  return { fault: 'status', status, code: 'UNKNOWN', text }
}

export const RETRY_AFTER = ['seconds', 'date', 'huge', 'negative', 'garbage'] as const

/** A failure that says in one of the known ways when to come again: about a second, or something useless. */
export function comeAgain(
  status: 408 | 429 | 500 | 502 | 503 | 504,
  form: (typeof RETRY_AFTER)[number],
): StatusFault {
  const values = {
    seconds: '1',
    date: new Date(Date.now() + 1000).toUTCString(),
    huge: '31536000',
    negative: '-5',
    garbage: 'soon; or later',
  }
  return { fault: 'status', status, headers: { 'retry-after': values[form] } }
}
