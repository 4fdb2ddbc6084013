import { isRepository, isTag } from '@carryall/schemas'
import { Refusal } from './refusal.ts'

/** What a path of the API asks for; names in it have passed the grammar. */
export type Route =
  | { readonly kind: 'base' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'tags'; readonly repository: string }
  | { readonly kind: 'manifest'; readonly repository: string; readonly reference: string }
  | { readonly kind: 'blob'; readonly repository: string; readonly digest: string }
  | { readonly kind: 'referrers'; readonly repository: string; readonly digest: string }
  | { readonly kind: 'uploads'; readonly repository: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly id: string }

// Any future algorithm, too: what is not sha256 is well-formed and not there (image-spec: digests).
const DIGEST =
  /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}|(?!sha(?:256|512):)[a-z0-9]+(?:[+._-][a-z0-9]+)*:[\w=-]{1,256})$/
const UPLOAD = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * Takes a path apart (distribution-spec: endpoints). Repository names hold slashes and may look like parts of the API, so
 * the end of the path decides. Throws a Refusal: 400 for a name, tag or digest outside the grammar, 404 for anything else.
 */
export function route(path: string): Route {
  const decoded = decode(path)
  if (decoded === '/v2/' || decoded === '/v2') return { kind: 'base' }
  if (decoded === '/v2/_catalog') return { kind: 'catalog' }
  const upload = /^\/v2\/(.+)\/blobs\/uploads(?:\/([^/]*))?$/.exec(decoded)
  if (upload !== null) return uploadRoute(repositoryOf(upload[1]!), upload[2] ?? '')
  const [, name = '', kind, last = ''] =
    /^\/v2\/(.+)\/(tags|manifests|blobs|referrers)\/([^/]+)$/.exec(decoded) ?? []
  if (kind === undefined || (kind === 'tags' && last !== 'list')) {
    throw new Refusal(404, 'UNSUPPORTED', `There is no ${JSON.stringify(path.slice(0, 256))} in this API`)
  }
  const repository = repositoryOf(name)
  if (kind === 'tags') return { kind, repository }
  if (kind === 'manifests') return { kind: 'manifest', repository, reference: referenceOf(last) }
  return { kind: kind === 'blobs' ? 'blob' : 'referrers', repository, digest: digestOf(last) }
}

function uploadRoute(repository: string, id: string): Route {
  if (id === '') return { kind: 'uploads', repository }
  if (UPLOAD.test(id)) return { kind: 'upload', repository, id }
  throw new Refusal(404, 'BLOB_UPLOAD_UNKNOWN', 'There is no such upload')
}

function repositoryOf(name: string): string {
  if (isRepository(name)) return name
  throw new Refusal(400, 'NAME_INVALID', `${JSON.stringify(name.slice(0, 256))} is not a repository name`)
}

function referenceOf(text: string): string {
  if (isTag(text)) return text
  return text.includes(':') ? digestOf(text) : refuseTag(text)
}

function refuseTag(text: string): never {
  throw new Refusal(400, 'NAME_INVALID', `${JSON.stringify(text.slice(0, 256))} is not a tag`)
}

function digestOf(text: string): string {
  if (DIGEST.test(text)) return text
  throw new Refusal(400, 'DIGEST_INVALID', `${JSON.stringify(text.slice(0, 256))} is not a digest`)
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    throw new Refusal(400, 'NAME_INVALID', 'The path is not URL-encoded UTF-8')
  }
}
