import { CarryallError } from '@carryall/errors'
import { isHost, isRepository } from '@carryall/schemas'

/** What is to be listed. */
export interface Place {
  readonly kind: 'registry' | 'layout' | 'archive'
  /** As in `Image.registry`. */
  readonly registry: string
  /** `host[:port]`, or the path of a directory or a file. */
  readonly at: string
  /** Only repositories below it, or the one of this name; '' is all. */
  readonly namespace: string
}

/**
 * Takes `docker://host[:port][/namespace]`, `oci:DIRECTORY` or `oci-archive:FILE` apart; paths are made absolute by `resolve`.
 * Throws USAGE_BAD_VALUE.
 */
export function parsePlace(text: string, resolve: (path: string) => string): Place {
  const [, kind, path] = /^(oci|oci-archive):(?:\/\/)?(.+)$/.exec(text) ?? []
  if (kind !== undefined) {
    const at = resolve(path!)
    return { kind: kind === 'oci' ? 'layout' : 'archive', registry: `${kind}:${at}`, at, namespace: '' }
  }
  const [, host, namespace = ''] = /^docker:\/\/([^/]+)(?:\/(.+?))?\/?$/.exec(text) ?? []
  if (host !== undefined && isHost(host) && (namespace === '' || isRepository(namespace)))
    return { kind: 'registry', registry: host, at: host, namespace }
  throw new CarryallError('USAGE_BAD_VALUE', `"${text}" is nothing that can be listed`, {
    actual: text,
    hint: 'Write docker://host[:port][/namespace], oci:DIRECTORY or oci-archive:FILE; tags are chosen by --tag',
  })
}
