import type { Fault } from './faults.ts'
import type { Proxied } from './proxied.ts'

export interface MadeUp {
  readonly status: number
  readonly headers: Readonly<Record<string, string | number>>
  readonly body: string
}

/** The whole answer of a fault that needs no registry; undefined for the others. */
export function madeUp(fault: Fault, { path }: Proxied): MadeUp | undefined {
  switch (fault.fault) {
    case 'status': {
      const { status, headers = {}, code, text } = fault
      return answer(status, code === undefined && text !== undefined ? text : errors(code, text), headers)
    }
    case 'redirect':
      return answer(307, '', { location: fault.to })
    case 'realm':
      return answer(401, errors('UNAUTHORIZED'), {
        'www-authenticate': `Bearer realm="${fault.to}",service="test"`,
      })
    case 'lost-upload':
      return answer(404, errors('BLOB_UPLOAD_UNKNOWN'))
    case 'late':
      return answer(404, errors('MANIFEST_UNKNOWN'))
    case 'claim': {
      const digest = decodeURIComponent(/[^/]*$/.exec(path)![0])
      return {
        status: 200,
        headers: {
          'content-length': fault.size,
          'content-type': fault.mediaType ?? 'application/octet-stream',
          ...(digest.includes(':') ? { 'docker-content-digest': digest } : {}),
        },
        body: '',
      }
    }
    default:
      return undefined
  }
}

function answer(status: number, body: string, headers: Readonly<Record<string, string>> = {}): MadeUp {
  const length = Buffer.byteLength(body)
  return {
    status,
    headers: { 'content-length': length, 'content-type': 'application/json', ...headers },
    body,
  }
}

function errors(code: string | undefined, message = 'made up'): string {
  return JSON.stringify({ errors: code === undefined ? [] : [{ code, message, detail: {} }] })
}
