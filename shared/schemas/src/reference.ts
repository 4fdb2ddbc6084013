import { CarryallError } from '@carryall/errors'
import { isDigest, isHost, isRepository, isTag } from './grammar.ts'

/** An image reference taken apart. `repository` is what the registry is asked for. */
export interface ImageReference {
  /** As it was written. */
  readonly text: string
  readonly transport: 'docker' | 'oci'
  /** `host[:port]` of the registry; absent for `oci:`. */
  readonly host?: string
  /** Repository in the registry, or the directory of an OCI layout. */
  readonly repository: string
  /** The path below the first component as written, which is what oc-mirror names the image by at its destination. */
  readonly path: string
  readonly tag?: string
  readonly digest?: string
}

const DOCKER_HUB = 'docker.io'

/**
 * Takes `[docker://]host[:port]/path[:tag][@digest]`, `name:tag` (Docker Hub) or `oci:[//]directory[:tag]` apart.
 * Throws REFERENCE_INVALID.
 */
export function parseImageReference(text: string): ImageReference {
  if (text.startsWith('oci:')) return layoutReference(text)
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)
  if (scheme !== null && scheme[1] !== 'docker') throw invalid(text, `the transport "${scheme[1]}" is not known`)
  return registryReference(text, text.replace(/^docker:\/\//, ''))
}

function registryReference(text: string, rest: string): ImageReference {
  const [named, digest, ...more] = rest.split('@')
  if (named === undefined || more.length > 0) throw invalid(text, 'more than one "@"')
  if (digest !== undefined && !isDigest(digest)) throw invalid(text, 'the digest is not sha256: and 64 hex digits')
  const colon = named.lastIndexOf(':')
  const hasTag = colon > named.lastIndexOf('/')
  const name = hasTag ? named.slice(0, colon) : named
  const tag = hasTag ? named.slice(colon + 1) : undefined
  if (tag !== undefined && !isTag(tag)) throw invalid(text, `"${tag}" is not a tag`)
  const parts = name.split('/')
  const path = parts.length > 1 ? parts.slice(1).join('/') : name
  const explicit = parts.length > 1 && (/[.:[]/.test(parts[0]!) || parts[0] === 'localhost')
  const host = explicit ? parts[0]! : DOCKER_HUB
  const repository = explicit ? path : host === DOCKER_HUB && parts.length === 1 ? `library/${name}` : name
  if (!isHost(host)) throw invalid(text, `"${host}" is not a host`)
  if (!isRepository(repository)) throw invalid(text, `"${repository}" is not a repository name`)
  return { text, transport: 'docker', host, repository, path, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) }
}

function layoutReference(text: string): ImageReference {
  const rest = text.slice('oci:'.length).replace(/^\/\/(?=\/|[^/])/, '')
  const colon = rest.lastIndexOf(':')
  const hasTag = colon > rest.lastIndexOf('/')
  const directory = hasTag ? rest.slice(0, colon) : rest
  const tag = hasTag ? rest.slice(colon + 1) : undefined
  if (directory === '' || directory.includes('\0')) throw invalid(text, 'no directory is named')
  if (tag !== undefined && !isTag(tag)) throw invalid(text, `"${tag}" is not a tag`)
  return { text, transport: 'oci', repository: directory, path: directory.replace(/^\/+/, ''), ...(tag === undefined ? {} : { tag }) }
}

function invalid(text: string, why: string): CarryallError {
  return new CarryallError('REFERENCE_INVALID', `Cannot read the image reference "${text}": ${why}`, {
    hint: 'Write host[:port]/path:tag, host/path@sha256:… or oci:///directory',
  })
}
