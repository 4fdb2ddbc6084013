import { CarryallError } from '@carryall/errors'
import { isDigest } from '@carryall/schemas'
import { isDockerHub, repositoryName } from '../registry/docker-hub.ts'
import type { MirrorUse, RegistryEntry } from './registries-conf.ts'

/** Where a name is really read. */
export interface Place {
  readonly host: string
  readonly repository: string
  readonly reference: string | undefined
  /** It stands in for the registry that is named. */
  readonly mirror: boolean
  /** The file that says `insecure = true` of it. */
  readonly insecure: string | undefined
}

export interface Name {
  readonly host: string
  /** '' for the registry itself. */
  readonly repository: string
  /** A tag or digest; absent for a blob, and for what is about the repository. */
  readonly reference?: string
}

/**
 * The places that a name is read from, in their order (containers-registries.conf(5)): the mirrors of the entry with the
 * longest prefix, then its own location. A mirror for tags alone comes last for anything else: only it may have what a tag of
 * its own names. Throws REG_BLOCKED.
 */
export function placesOf(entries: readonly RegistryEntry[], name: Name): readonly Place[] {
  const full = fullName(name)
  const { entry, length } = choose(entries, full)
  if (entry === undefined) return [{ ...itself(name), insecure: undefined }]
  if (entry.blocked) throw blocked(entry, full)
  const rest = full.slice(length)
  const at = (location: string, insecure: boolean, mirror: boolean): Place => ({
    ...(location === '' ? itself(name) : parse(location + rest, name)),
    mirror,
    insecure: insecure ? entry.file : undefined,
  })
  const primary = at(entry.location, entry.insecure, false)
  const byTag = name.reference !== undefined && !isDigest(name.reference)
  const mirrors = (wanted: (use: MirrorUse) => boolean) =>
    entry.mirrors.filter(({ use }) => wanted(use)).map((one) => at(one.location, one.insecure, true))
  return byTag
    ? [...mirrors((use) => use !== 'digest-only'), primary]
    : [...mirrors((use) => use !== 'tag-only'), primary, ...mirrors((use) => use === 'tag-only')]
}

function itself({ host, repository, reference }: Name) {
  return { host, repository, reference, mirror: false }
}

function fullName({ host, repository, reference }: Name): string {
  const registry = isDockerHub(host) ? 'docker.io' : host.toLowerCase()
  const path = repository === '' ? registry : `${registry}/${repositoryName(host, repository)}`
  return reference === undefined ? path : `${path}${isDigest(reference) ? '@' : ':'}${reference}`
}

function choose(entries: readonly RegistryEntry[], full: string) {
  let entry: RegistryEntry | undefined
  let length = 0
  for (const each of entries) {
    const matched = matchLength(each.prefix, full)
    if (matched > length) [entry, length] = [each, matched]
  }
  return { entry, length }
}

/** How much of a name a prefix covers, whole components only; 0 where it is another name. */
function matchLength(prefix: string, full: string): number {
  const [host = ''] = full.split('/', 1)
  if (prefix.startsWith('*.')) {
    const suffix = prefix.slice(1)
    if (host.length > suffix.length && host.endsWith(suffix)) return host.length
    // Without a port it covers all of them.
    const bare = host.replace(/:\d+$/, '')
    return bare.length > suffix.length && bare.endsWith(suffix) ? bare.length : 0
  }
  if (!full.startsWith(prefix)) return 0
  const next = full[prefix.length]
  // Another port is another registry.
  const separators = prefix.includes('/') ? '/:@' : '/'
  return next === undefined || separators.includes(next) ? prefix.length : 0
}

function parse(text: string, name: Name) {
  const slash = text.indexOf('/')
  const host = slash === -1 ? text : text.slice(0, slash)
  const path = slash === -1 ? '' : text.slice(slash + 1)
  if (name.reference === undefined) return { host, repository: path, reference: undefined }
  const [, repository = '', tag, digest] = /^([^:@]*)(?::([^@]*))?(?:@(.*))?$/.exec(path) ?? []
  return { host, repository, reference: digest ?? tag ?? name.reference }
}

function blocked(entry: RegistryEntry, full: string): CarryallError {
  return new CarryallError('REG_BLOCKED', `${full} is not read: ${entry.file} blocks ${entry.prefix}`, {
    subject: { kind: 'repository', name: full },
    hint: `Ask who wrote ${entry.file}, or take another registry`,
  })
}
