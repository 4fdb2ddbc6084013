import { copyFile, readFile, writeFile } from 'node:fs/promises'
import {
  pushSample,
  sampleArtifact,
  sampleImage,
  sampleIndex,
  sampleLayer,
  startDockerRegistry,
  type DockerRegistry,
} from '@carryall/oci/testing'
import { installBundles } from '../../support/bundles.ts'
import { mustRun } from '../../support/run.ts'
import type { Named } from '../../support/sample-set.ts'
import { makeScratch, type Scratch } from '../../support/scratch.ts'
import { openStores } from '../../support/stores.ts'

/** Two registries that outlive every killed client, a plan, and the bundle that is killed. */
export interface SyncSite extends AsyncDisposable {
  readonly source: DockerRegistry
  readonly destination: DockerRegistry
  readonly scratch: Scratch
  /** What is to be at the destination, by its tag, below `set/` of the source. */
  readonly images: readonly Required<Named>[]
  /** `reg-sync …` as an argv. */
  argv(...args: readonly string[]): readonly string[]
  /** Writes the plan to bring all of it below `below`, through these addresses; gives the file. */
  planFor(below: string, from: string, to: string): Promise<string>
}

const shared = [sampleLayer('base', 5000), sampleLayer('runtime', 3000)]
const signed = sampleImage('signed', { shared })
const signatureTag = `${signed.descriptor.digest.replace(':', '-')}.sig`

/** Every shape: layers that repositories share, an index, a signature by tag and one by its subject. */
const images: readonly Required<Named>[] = [
  ...['a:1', 'a:2', 'b:1', 'c:1'].map((name) => ({
    repository: `set/${name.split(':')[0]!}`,
    tag: name.split(':')[1]!,
    sample: sampleImage(name, { layers: [1500], shared }),
  })),
  {
    repository: 'set/multi',
    tag: '1',
    sample: sampleIndex([
      sampleImage('multi', { shared }),
      sampleImage('multi-arm', { architecture: 'arm64', shared: shared.slice(1) }),
    ]),
  },
  { repository: 'set/signed', tag: '1', sample: signed },
  { repository: 'set/signed', tag: signatureTag, sample: sampleImage('signature', { layers: [200] }) },
]
const attached = sampleArtifact('sbom', signed.descriptor)

/** Starts the registries, the source with its images. */
export async function startSyncSite(): Promise<SyncSite> {
  const scratch = await makeScratch('/dev/shm')
  const bundle = scratch.at('reg-sync.cjs')
  {
    await using installed = await installBundles()
    await copyFile(installed.bundle('reg-sync'), bundle)
  }
  const source = await startDockerRegistry({ storage: scratch.at('source') })
  const destination = await startDockerRegistry({ storage: scratch.at('destination') })
  const stores = await openStores()
  for (const { repository, tag, sample } of images)
    await pushSample(stores.registry(source.host), repository, sample, tag)
  await pushSample(stores.registry(source.host), 'set/signed', attached)
  await stores.close()
  const argv = (...args: readonly string[]): readonly string[] => [process.execPath, bundle, ...args]
  const plan = scratch.at('plan.json')
  const ends = [`docker://${source.host}/set`, `docker://${destination.host}/below`]
  await mustRun(process.execPath, [
    bundle,
    'plan',
    ...ends,
    '--result',
    plan,
    '--state-dir',
    scratch.at('state'),
  ])
  return {
    source,
    destination,
    scratch,
    images,
    argv,
    planFor: async (below, from, to) => {
      const text = (await readFile(plan, 'utf8'))
        .replaceAll(source.host, from)
        .replaceAll(destination.host, to)
        .replaceAll('"below/', `"${below}/`)
        .replaceAll('/below"', `/${below}"`)
      const file = scratch.at(`${below}.json`)
      await writeFile(file, text)
      return file
    },
    [Symbol.asyncDispose]: async () => {
      await source.stop()
      await destination.stop()
      await scratch[Symbol.asyncDispose]()
    },
  }
}
