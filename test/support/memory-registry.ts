import { startServer, type TestServer } from '@carryall/http/testing'
import type { Manifest } from '@carryall/oci'
import type { Answer, Sample } from '@carryall/oci/testing'

/** What a registry that checks nothing gives. */
export interface MemoryImage {
  readonly repository: string
  readonly tag: string
  readonly manifest: Manifest
  /** With their children and blobs, all of which are there. */
  readonly samples: readonly Sample[]
  /** Answers in place of the registry where it gives something. */
  readonly lie?: (method: string, what: string) => Answer | undefined
}

/** A registry that serves these images for reading, however wrong they are. */
export function startMemoryRegistry(images: readonly MemoryImage[]): Promise<TestServer> {
  const repositories = Map.groupBy(images, ({ repository }) => repository)
  return startServer(({ method, url }, response) => {
    const { status, headers = {}, body = '' } = answer(method, url.split('?')[0]!)
    response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers })
    response.end(method === 'HEAD' ? undefined : body)
  })

  function answer(method: string, path: string): Answer {
    if (path === '/v2/') return { status: 200 }
    if (path === '/v2/_catalog') return json({ repositories: [...repositories.keys()] })
    const [, name = '', what = ''] =
      /^\/v2\/(.+?)\/((?:tags|manifests|blobs|referrers)\/.+)$/.exec(path) ?? []
    const own = repositories.get(name)
    if (own === undefined) return { status: 404 }
    for (const { lie } of own) {
      const lied = lie?.(method, what)
      if (lied !== undefined) return lied
    }
    if (what === 'tags/list') return json({ name, tags: own.map(({ tag }) => tag) })
    return own.map((image) => content(image, what)).find((found) => found !== undefined) ?? { status: 404 }
  }
}

function content({ tag, manifest, samples }: MemoryImage, what: string): Answer | undefined {
  if (what === `manifests/${tag}` || what === `manifests/${manifest.digest}`) return served(manifest)
  const all = samples.flatMap(withChildren)
  const child = all.find((sample) => what === `manifests/${sample.manifest.digest}`)
  if (child !== undefined) return served(child.manifest)
  const blob = all
    .flatMap(({ blobs }) => blobs)
    .find(({ descriptor }) => what === `blobs/${descriptor.digest}`)
  return blob && { status: 200, body: blob.bytes }
}

function withChildren(sample: Sample): readonly Sample[] {
  return [sample, ...sample.children.flatMap(withChildren)]
}

function served({ digest, mediaType, bytes }: Manifest): Answer {
  return { status: 200, headers: { 'content-type': mediaType, 'docker-content-digest': digest }, body: bytes }
}

function json(value: object): Answer {
  return { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) }
}
