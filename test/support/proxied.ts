import type { Fault } from './faults.ts'

/** What a request is for. A manifest's GET or HEAD soon after its PUT is a `read-back`, too. */
export type Phase =
  | 'ping'
  | 'token'
  | 'list'
  | 'head'
  | 'manifest-get'
  | 'blob-get'
  | 'referrers'
  | 'upload-begin'
  | 'upload-status'
  | 'upload-patch'
  | 'upload-put'
  | 'manifest-put'
  | 'read-back'
  | 'delete'
  | 'other'

/** One request as the proxy saw it. */
export interface Proxied {
  readonly method: string
  readonly path: string
  readonly phases: readonly Phase[]
  readonly range: string | undefined
  readonly authorization: string | undefined
  /** How often this method and path came before. */
  readonly before: number
  /** Milliseconds since a PUT to this path was answered with 201; undefined without one. */
  readonly sincePut: number | undefined
  /** What went wrong. */
  fault?: Fault
  /** True once the whole answer was sent. */
  answered?: true
}

/** `sincePut`: milliseconds since a PUT to the same path, if there was one. */
export function phasesOf(method: string, path: string, sincePut: number | undefined): readonly Phase[] {
  const [place = ''] = path.split('?')
  if (place === '/v2/' || place === '/v2') return ['ping']
  if (/^\/(?:v2\/auth|token|service\/token|jwt\/auth)$/.test(place)) return ['token']
  if (/\/tags\/list$|\/_catalog$|^\/api\/|^\/v2\/repositories\//.test(place)) return ['list']
  if (/\/referrers\/[^/]+$/.test(place)) return ['referrers']
  if (/\/blobs\/uploads\/[^/]*$/.test(place)) {
    const phases: Readonly<Record<string, Phase>> = {
      POST: 'upload-begin',
      GET: 'upload-status',
      PATCH: 'upload-patch',
      PUT: 'upload-put',
    }
    return [phases[method] ?? 'delete']
  }
  if (method === 'DELETE') return ['delete']
  const readBack: readonly Phase[] = sincePut === undefined ? [] : ['read-back']
  if (method === 'HEAD') return ['head', ...readBack]
  if (/\/blobs\/[^/]+$/.test(place)) return ['blob-get']
  if (/\/manifests\/[^/]+$/.test(place))
    return method === 'PUT' ? ['manifest-put'] : ['manifest-get', ...readBack]
  return ['other']
}
