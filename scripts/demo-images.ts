// The demo's own registry content: `demo-images.ts push HOST 1|2` and `demo-images.ts compare HOST HOST IMAGE…`.
import { connectStores } from '../shared/oci/src/connect.ts'
import { pushSample, sampleArtifact, sampleImage, sampleIndex } from '../shared/oci/src/testing/samples.ts'

const MB = 1_000_000
const [action, host = '', ...rest] = process.argv.slice(2)
const stores = await connectStores({
  env: {},
  userAgent: 'carryall-demo',
  tlsVerify: true,
  plainHttp: [],
  allowedRealms: [],
  retry: {},
})

if (action === 'push') await push(rest[0] === '2' ? 2 : 1)
else await compare(rest[0] ?? '', rest.slice(1))
await stores.close()

/** Version 2 has the same base layers, and little that is new. */
async function push(version: 1 | 2): Promise<void> {
  const registry = stores.registry(host)
  const base = sampleImage('base', { layers: [90 * MB, 50 * MB] })
  const shared = base.blobs.slice(1)
  const app = sampleImage(`app ${version}`, { layers: [3 * MB * version], shared })
  await pushSample(registry, 'demo/base', base, '9')
  await pushSample(registry, 'demo/app', app, `1.${version}`)
  await pushSample(registry, 'demo/app', sampleArtifact(`signature ${version}`, app.descriptor))
  const platforms = ['amd64', 'arm64'].map((architecture) =>
    sampleImage(`tool ${architecture}`, { layers: [2 * MB], architecture }),
  )
  await pushSample(registry, 'demo/tool', sampleIndex(platforms), 'stable')
}

/** Asks both registries for every image, and for nothing else: what they answer is independent of our reports. */
async function compare(other: string, images: readonly string[]): Promise<void> {
  for (const image of images) {
    const [repository = '', tag = ''] = image.split(':')
    const [from, to] = await Promise.all(
      [host, other].map((each) => stores.registry(each).head(repository, tag)),
    )
    if (from === undefined || from.digest !== to?.digest)
      throw new Error(`${image}: ${from?.digest} at the source, ${to?.digest} at the destination`)
    process.stdout.write(`  ${image}  ${from.digest}\n`)
  }
  process.stdout.write(`  all digests equal\n`)
}
