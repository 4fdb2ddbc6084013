import type { Seen } from '@carryall/http/testing'
import type { Destination } from '../store.ts'
import { sampleArtifact, sampleBlob, sampleImage } from './samples.ts'
import type { Answer } from './scripted-registry.ts'

export const PASSWORD = 'canary-password'
export const IDENTITY = 'canary-identity'
export const TOKEN = 'canary-token'
export const BASIC = Buffer.from(`me:${PASSWORD}`).toString('base64')
export const IMAGE = sampleImage('origins')
const SMALL = sampleBlob('origins')
const LARGE = sampleBlob({ seed: 'origins', size: 300_000 })
const SUBJECT = sampleArtifact('origins', IMAGE.descriptor)

/** Who must not learn anything: another host, another port, another name and another family of the same machine. */
export interface Sinks {
  readonly host: string
  readonly port: string
  readonly name: string
  readonly six: string
}

export interface Scenario {
  readonly name: string
  /** What the registry does other than usual. */
  readonly lure: (seen: Seen, sinks: Sinks, own: string) => Answer | undefined
  readonly act: (store: Destination) => Promise<unknown>
  /** Code of the error; none where the act succeeds. */
  readonly code?: string
  /** True where a sink may be asked, without credentials. */
  readonly asked?: boolean
  readonly login?: 'bearer' | 'identity'
}

export const acts = {
  head: (store: Destination) => store.head('a', 'v1'),
  manifest: (store: Destination) => store.manifest('a', 'v1'),
  blob: (store: Destination) => Array.fromAsync(store.blob('a', LARGE.descriptor)),
  rest: (store: Destination) => Array.fromAsync(store.blob('a', LARGE.descriptor, 100)),
  hasBlob: (store: Destination) => store.hasBlob('a', SMALL.descriptor.digest),
  tags: (store: Destination) => Array.fromAsync(store.tags('a')),
  repositories: (store: Destination) => Array.fromAsync(store.repositories()),
  referrers: (store: Destination) => store.referrers('a', IMAGE.manifest.digest),
  putSmall: (store: Destination) => store.putBlob('a', SMALL.descriptor, SMALL.open),
  putLarge: (store: Destination) => store.putBlob('a', LARGE.descriptor, LARGE.open),
  putManifest: (store: Destination) => store.putManifest('a', 'v1', IMAGE.manifest),
  putReferrer: (store: Destination) => store.putManifest('a', SUBJECT.manifest.digest, SUBJECT.manifest),
}

export const at =
  (path: RegExp, to: (sinks: Sinks, own: string) => string, status = 307) =>
  (seen: Seen, sinks: Sinks, own: string) =>
    path.test(seen.url) ? { status, headers: { location: to(sinks, own) } } : undefined
export const when =
  (method: string, answer: (seen: Seen, sinks: Sinks, own: string) => Answer | undefined) =>
  (seen: Seen, sinks: Sinks, own: string) =>
    seen.method === method ? answer(seen, sinks, own) : undefined
export const link =
  (path: RegExp, to: (sinks: Sinks) => string, page: object) => (seen: Seen, sinks: Sinks) =>
    path.test(seen.url)
      ? { status: 200, headers: { link: `<${to(sinks)}>; rel="next"` }, body: JSON.stringify(page) }
      : undefined
export const realm = (to: (sinks: Sinks, own: string) => string) => (seen: Seen, sinks: Sinks, own: string) =>
  seen.headers.authorization
    ? undefined
    : { status: 401, headers: { 'www-authenticate': `Bearer realm="${to(sinks, own)}",service="x"` } }

export const NO_REFERRERS = {
  schemaVersion: 2,
  mediaType: 'application/vnd.oci.image.index.v1+json',
  manifests: [],
}
export const refused = { code: 'NET_ORIGIN_REFUSED' }
