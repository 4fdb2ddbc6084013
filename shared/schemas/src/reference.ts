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
/** What other tools read besides `docker` and `oci`. Most would also pass for a name with a tag. */
const TRANSPORTS =
  /^(?:atomic|containers-storage|dir|docker-archive|docker-daemon|oci-archive|ostree|sif|tarball):/

/**
 * Takes `[docker://]host[:port]/path[:tag][@digest]`, `name:tag` (Docker Hub) or `oci:[//]directory[:tag]` apart.
 * Throws REFERENCE_INVALID.
 */
export function parseImageReference(text: string): ImageReference {
  if (text.startsWith('oci:')) return layoutReference(text)
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1] ?? TRANSPORTS.exec(text)?.[0].slice(0, -1)
  if (scheme !== undefined && scheme !== 'docker')
    throw invalid(text, `the transport "${scheme}" is not known`)
  return registryReference(text, text.replace(/^docker:\/\//, ''))
}

function registryReference(text: string, rest: string): ImageReference {
  const [named = '', digest, ...more] = rest.split('@')
  if (more.length > 0) throw invalid(text, 'more than one "@"')
  if (digest !== undefined && !isDigest(digest))
    throw invalid(text, 'the digest is not sha256: and 64 lower-case hex digits')
  const { name, tag } = splitTag(text, named)
  const [first = '', ...below] = name.split('/')
  const explicit = below.length > 0 && (/[.:[]/.test(first) || first === 'localhost')
  const host = explicit ? first : DOCKER_HUB
  const path = below.length > 0 ? below.join('/') : name
  if (!isHost(host)) throw invalid(text, `"${host}" is not a host`)
  const repository = inRegistry(host, explicit ? path : name)
  if (!isRepository(repository)) throw invalid(text, `"${repository}" is not a repository name`)
  return {
    text,
    transport: 'docker',
    host,
    repository,
    path,
    ...tag,
    ...(digest === undefined ? {} : { digest }),
  }
}

/** Docker Hub keeps what has one component only under `library/`, also where its name is written out. */
function inRegistry(host: string, name: string): string {
  return host.toLowerCase() === DOCKER_HUB && !name.includes('/') ? `library/${name}` : name
}

function layoutReference(text: string): ImageReference {
  const rest = text.slice('oci:'.length).replace(/^\/\//, '')
  if (/@sha256:[0-9a-f]*$/.test(rest)) throw invalid(text, 'an image in a layout is named by its tag')
  const { name, tag } = splitTag(text, rest)
  // eslint-disable-next-line no-control-regex -- control characters are what is refused
  if (name === '' || /[\u0000-\u001f\u007f]/.test(name)) throw invalid(text, 'no directory is named')
  return { text, transport: 'oci', repository: name, path: name.replace(/^\/+/, ''), ...tag }
}

function splitTag(text: string, named: string): { name: string; tag: { tag?: string } } {
  const colon = named.lastIndexOf(':')
  if (colon <= named.lastIndexOf('/')) return { name: named, tag: {} }
  const tag = named.slice(colon + 1)
  if (!isTag(tag)) throw invalid(text, `"${tag}" is not a tag`)
  return { name: named.slice(0, colon), tag: { tag } }
}

function invalid(text: string, why: string): CarryallError {
  return new CarryallError('REFERENCE_INVALID', `Cannot read the image reference "${text}": ${why}`, {
    hint: 'Write host[:port]/path:tag, host/path@sha256:… or oci:///directory',
  })
}
