import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLayout } from '@carryall/oci'
import { startDockerRegistry } from '@carryall/oci/testing'
import { hashSync } from 'bcryptjs'
import { conformanceSuite, type Differences, type SuiteRegistry } from './conformance-suite.ts'
import { loadCertificate } from './load-certificate.ts'
import { Logins } from './login/logins.ts'
import { serve, type ServeOptions } from './serve.ts'
import { makeCertificate } from './testing/make-certificate.ts'

async function start(
  prepare: (directory: string) => Promise<Partial<ServeOptions>>,
  target: (directory: string) => Promise<Omit<SuiteRegistry['target'], 'url'>>,
): Promise<SuiteRegistry> {
  const directory = await mkdtemp(join(tmpdir(), 'reg-serve-'))
  const layout = await openLayout(join(directory, 'layout'), { write: true })
  const server = await serve(layout, { host: '127.0.0.1', port: 0, ...(await prepare(directory)) })
  return {
    target: { url: server.url, ...(await target(directory)) },
    async close() {
      await server.close()
      await layout.close()
      await rm(directory, { recursive: true })
    },
  }
}

conformanceSuite('reg-serve', () =>
  start(
    async () => ({}),
    async () => ({}),
  ),
)

conformanceSuite('reg-serve with TLS and logins', () =>
  start(
    async (directory) => ({
      certificate: await loadCertificate(await makeCertificate(directory)),
      logins: new Logins(new Map([['alice', hashSync('secret', 4)]])),
    }),
    async (directory) => ({
      ca: await readFile(join(directory, 'server.crt')),
      authorization: `Basic ${Buffer.from('alice:secret').toString('base64')}`,
    }),
  ),
)

const NO_REFERRERS = 'it has no referrers: 404'
const ALL_TAGS = 'it lists all tags, whatever is asked for, in no order'

/** What Debian's docker-registry does otherwise. */
const DOCKER_REGISTRY: Differences = {
  pull: {
    'what cannot be there': 'a digest that is too short is its own error: 500',
    'a range that no byte is in': 'it breaks the connection',
    'a range in another unit, and of HEAD, is none': 'it breaks the connection',
  },
  'push blobs': {
    'POST with all, in one request': 'it opens an upload: 202',
    'an algorithm named ahead that nobody knows': 'it does not look: 202',
    'no upload into what is no repository': 'it redirects a path with two slashes: 301',
  },
  'push chunks': {
    'a chunk that leaves a gap, or comes again, is refused, and the upload goes on': 'it appends it: 202',
    'a last chunk that leaves a gap is refused, and the upload goes on': 'it appends it: 400 for the digest',
  },
  'push manifests': {
    'an image with layers that are elsewhere': 'it fails: 500',
    'a reference that is none': 'a digest that is too short is its own error: 500',
    'a manifest beyond all limits': 'it says 400',
    'a digest with tags': 'it sets no tags',
    'a digest with a tag that is none': 'it does not look: 201',
    'a subject, also before it is there': 'it says nothing of it',
  },
  discovery: {
    'tags, sorted': ALL_TAGS,
    'some tags at a time': ALL_TAGS,
    'tags after another, whether that is there or not': ALL_TAGS,
    'no tags at all where none are wanted': ALL_TAGS,
    'a number of tags that is none': ALL_TAGS,
    'a repository without tags': 'it does not know it: 404',
    'no referrers': NO_REFERRERS,
    'referrers of a digest that is none': NO_REFERRERS,
    'all referrers': NO_REFERRERS,
    'referrers of one type': NO_REFERRERS,
    'more referrers than one answer holds': NO_REFERRERS,
    'a referrer in another repository is none': NO_REFERRERS,
    'referrers that came by the fallback tag': NO_REFERRERS,
  },
  management: {
    'a tag is deleted, its manifest and other tags stay': 'it deletes by digest alone: 400',
    'a tag that is not there is not deleted': 'it deletes by digest alone: 400',
    'a deleted referrer is none': NO_REFERRERS,
  },
}

conformanceSuite(
  'docker-registry 2.8',
  async () => {
    const registry = await startDockerRegistry()
    return { target: { url: registry.url }, close: () => registry.stop() }
  },
  DOCKER_REGISTRY,
)
