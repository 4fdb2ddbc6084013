import { hash } from 'node:crypto'
import type { Destination } from '@carryall/oci'
import {
  pushSample,
  sampleArtifact,
  sampleBlob,
  sampleImage,
  sampleIndex,
  sampleLayer,
  type Sample,
} from '@carryall/oci/testing'

/** A sample under its name in the source registry; without a tag it is reached by its digest. */
export interface Named {
  readonly repository: string
  readonly tag?: string
  readonly sample: Sample
}

// The empty layer that builders write, gzip of a tar with nothing in it.
const EMPTY_LAYER = Buffer.from('H4sIAAAJbogA/2IYBaNgFIxYAAgAAP//Lq+17wAEAAA=', 'base64')

const shared = sampleLayer('shared', 30_000)
const emptyLayer = {
  ...sampleBlob(EMPTY_LAYER, 'application/vnd.oci.image.layer.v1.tar+gzip'),
  diffId: `sha256:${hash('sha256', Buffer.alloc(1024))}`,
}

const app = sampleImage('app', { shared: [shared] })
const arm = sampleImage('app-arm', { architecture: 'arm64', shared: [shared] })
const multi = sampleIndex([app, arm])
const nested = sampleIndex([
  sampleImage('outer'),
  sampleIndex([sampleImage('inner'), sampleImage('inner-s390x', { architecture: 's390x' })]),
])
const docker = sampleImage('docker', { docker: true })
const dockerList = sampleIndex([docker, sampleImage('docker-arm', { docker: true, architecture: 'arm64' })], {
  docker: true,
})
const zstd = sampleImage('zstd', { layerType: 'application/vnd.oci.image.layer.v1.tar+zstd' })
const withEmpty = sampleImage('empty', { layers: [500], shared: [emptyLayer, shared] })

/** Every shape of image that is carried, by its tag. */
export const baseImages: readonly Named[] = [
  { repository: 'team/app', tag: '1.0', sample: app },
  { repository: 'team/app', tag: 'multi', sample: multi },
  { repository: 'team/deep/er/nested', tag: 'n', sample: nested },
  { repository: 'legacy/tool', tag: '2', sample: docker },
  { repository: 'legacy/tool', tag: 'list', sample: dockerList },
  { repository: 'team/zstd', tag: 'v1', sample: zstd },
  { repository: 'team/empty', tag: 'v1', sample: withEmpty },
  { repository: 'charts/web', tag: '0.1', sample: artifact('chart') },
]

/** What is added later: one that shares a layer, one that shares nothing. */
export const laterImages: readonly Named[] = [
  { repository: 'team/app', tag: '1.1', sample: sampleImage('app-1.1', { layers: [700], shared: [shared] }) },
  { repository: 'team/new', tag: 'v1', sample: sampleImage('new') },
]

/** What is attached to the images: cosign's tags, and referrers, one of them to a referrer. */
export const attachments: readonly Named[] = (() => {
  const signature = sampleArtifact('signature', app.descriptor)
  return [
    {
      repository: 'team/app',
      tag: `${app.descriptor.digest.replace(':', '-')}.sig`,
      sample: sampleImage('cosign-sig', { layers: [300] }),
    },
    {
      repository: 'team/app',
      tag: `${multi.descriptor.digest.replace(':', '-')}.att`,
      sample: sampleImage('cosign-att', { layers: [300] }),
    },
    { repository: 'team/app', sample: signature },
    { repository: 'team/app', sample: sampleArtifact('of-signature', signature.descriptor) },
    { repository: 'legacy/tool', sample: sampleArtifact('sbom', docker.descriptor, 'application/spdx+json') },
  ]
})()

/** Pushes samples to where they are named. */
export async function publishSamples(store: Destination, samples: readonly Named[]): Promise<void> {
  for (const { repository, tag, sample } of samples) await pushSample(store, repository, sample, tag)
}

/** `repository:tag` or `repository@digest`. */
export function nameOf({ repository, tag, sample }: Named): string {
  return tag === undefined ? `${repository}@${sample.descriptor.digest}` : `${repository}:${tag}`
}

/** The digests of everything below a sample, its own included: manifests, then configs and layers. */
export function digestsOf(sample: Sample): {
  readonly manifests: ReadonlySet<string>
  readonly blobs: ReadonlySet<string>
} {
  const children = sample.children.map(digestsOf)
  return {
    manifests: new Set([sample.descriptor.digest, ...children.flatMap((child) => [...child.manifests])]),
    blobs: new Set([
      ...sample.blobs.map((blob) => blob.descriptor.digest),
      ...children.flatMap((child) => [...child.blobs]),
    ]),
  }
}

/** An artifact of types that no container tool knows, one of its files empty. */
function artifact(seed: string): Sample {
  const config = sampleBlob(JSON.stringify({ name: seed }), 'application/vnd.cncf.helm.config.v1+json')
  const chart = sampleBlob({ seed, size: 4000 }, 'application/vnd.cncf.helm.chart.content.v1.tar+gzip')
  const none = sampleBlob('', 'application/vnd.example.nothing')
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const value = {
    schemaVersion: 2,
    mediaType,
    artifactType: 'application/vnd.example.chart',
    config: config.descriptor,
    layers: [chart.descriptor, none.descriptor],
  }
  const bytes = Buffer.from(JSON.stringify(value))
  const digest = `sha256:${hash('sha256', bytes)}`
  return {
    manifest: { digest, mediaType, bytes },
    descriptor: { mediaType, digest, size: bytes.length },
    blobs: [config, chart, none],
    children: [],
  }
}
