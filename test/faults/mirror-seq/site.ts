import { copyFile } from 'node:fs/promises'
import { pushSample, sampleImage, sampleLayer, startDockerRegistry } from '@carryall/oci/testing'
import { installBundles } from '../../support/bundles.ts'
import { writeConfig } from '../../support/config.ts'
import { makeScratch, type Scratch } from '../../support/scratch.ts'
import { openStores } from '../../support/stores.ts'

/** A source that outlives every killed client, and the bundle that is killed. */
export interface Site extends AsyncDisposable {
  readonly scratch: Scratch
  /** `http://127.0.0.1:PORT` of the source. */
  readonly url: string
  /** `mirror-seq -c CONFIG …`, as an argv. Files are made as under the umask 077. */
  argv(config: string, ...flags: readonly string[]): readonly string[]
  /** Writes a configuration that asks `host` for these images. */
  configure(name: string, images: readonly string[], host?: string): Promise<string>
}

/** What the first sequence asks for: two images that share a layer. */
export const FIRST = ['team/app:1.0', 'team/tool:1.0'] as const
/** What the next one asks for: one more, which shares that layer, too. */
export const NEXT = [...FIRST, 'team/app:1.1'] as const
/** One with layers that take their time. */
export const LARGE = [...FIRST, 'team/large:1.0'] as const

/** The clock of every run stands still, and nothing but faults and failures is told. */
export const ENVIRONMENT = { SOURCE_DATE_EPOCH: '1700000000', CARRYALL_PROGRESS: 'none' } as const

// A strict umask, for a mode that is given in a second step shows only under one.
const UMASK = ['/bin/sh', '-c', 'umask 077; exec "$@"', 'sh', process.execPath]

/** Starts the source registry with its images. The bundle is a copy: making it anew does not change a run half-way. */
export async function startSite(): Promise<Site> {
  const scratch = await makeScratch()
  const bundle = scratch.at('mirror-seq.cjs')
  {
    await using installed = await installBundles()
    await copyFile(installed.bundle('mirror-seq'), bundle)
  }
  const source = await startDockerRegistry()
  const stores = await openStores()
  const shared = [sampleLayer('shared', 6000)]
  const samples = {
    'team/app:1.0': sampleImage('app', { layers: [3000], shared }),
    'team/tool:1.0': sampleImage('tool', { layers: [2000], shared }),
    'team/app:1.1': sampleImage('app-1.1', { layers: [4000, 1500], shared }),
    'team/large:1.0': sampleImage('large', { layers: Array<number>(12).fill(150_000), shared }),
  } satisfies Record<(typeof NEXT | typeof LARGE)[number], unknown>
  for (const [name, sample] of Object.entries(samples)) {
    const [repository, tag] = name.split(':')
    await pushSample(stores.registry(source.host), repository!, sample, tag)
  }
  await stores.close()
  return {
    scratch,
    url: source.url,
    argv: (config, ...flags) => [...UMASK, bundle, '-c', config, ...flags],
    configure: (name, images, host = source.host) =>
      writeConfig(
        scratch.at(name),
        images.map((image) => `${host}/${image}`),
      ),
    [Symbol.asyncDispose]: async () => {
      await source.stop()
      await scratch[Symbol.asyncDispose]()
    },
  }
}
