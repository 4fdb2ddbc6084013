/** What a path of the distribution API asks for. */
export type V2Route =
  | { readonly kind: 'base' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'tags'; readonly repository: string }
  | { readonly kind: 'uploads'; readonly repository: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly id: string }
  | { readonly kind: 'manifest'; readonly repository: string; readonly reference: string }
  | { readonly kind: 'blob'; readonly repository: string; readonly digest: string }
  | { readonly kind: 'referrers'; readonly repository: string; readonly digest: string }

/** Takes a path apart from its end, since names hold slashes; undefined where it is none of the API. */
export function v2Route(path: string): V2Route | undefined {
  if (path === '/v2/' || path === '/v2') return { kind: 'base' }
  if (path === '/v2/_catalog') return { kind: 'catalog' }
  const [, uploads, id] = /^\/v2\/(.+)\/blobs\/uploads\/([^/]*)$/.exec(path) ?? []
  if (uploads !== undefined)
    return id ? { kind: 'upload', repository: uploads, id } : { kind: 'uploads', repository: uploads }
  const [, repository, kind, last] =
    /^\/v2\/(.+)\/(tags|manifests|blobs|referrers)\/([^/]+)$/.exec(decodeURIComponent(path)) ?? []
  if (repository === undefined || last === undefined) return undefined
  if (kind === 'tags') return last === 'list' ? { kind, repository } : undefined
  if (kind === 'manifests') return { kind: 'manifest', repository, reference: last }
  return { kind: kind === 'blobs' ? 'blob' : 'referrers', repository, digest: last }
}

/** True for what changes something. */
export function isWrite(method: string): boolean {
  return method !== 'GET' && method !== 'HEAD'
}
