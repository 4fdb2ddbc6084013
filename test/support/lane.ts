import type { Ran, RunOptions } from '@carryall/cli/testing'
import { startDockerRegistry, type DockerRegistry } from '@carryall/oci/testing'
import { writeConfig } from './config.ts'
import { nameOf, publishSamples, type Named } from './sample-set.ts'
import { makeScratch, type Scratch } from './scratch.ts'
import { openStores } from './stores.ts'
import { mirrorSeq } from './tools.ts'

type Asked = Parameters<typeof writeConfig>[1][number]

/** The connected side: a registry with samples, a configuration and a content directory. */
export interface Lane extends AsyncDisposable {
  readonly source: DockerRegistry
  readonly scratch: Scratch
  readonly config: string
  readonly content: string
  /** Puts more samples into the source. */
  publish(samples: readonly Named[]): Promise<void>
  /** Writes the configuration: samples by their name in the source, anything else as it is. */
  configure(images: readonly (Named | Asked)[], more?: Parameters<typeof writeConfig>[2]): Promise<void>
  /** `mirror-seq -c CONFIG --content CONTENT` with more. */
  mirror(flags?: readonly string[], options?: RunOptions): Promise<Ran>
}

/** Starts a source registry that holds `samples`. */
export async function startLane(samples: readonly Named[]): Promise<Lane> {
  const source = await startDockerRegistry()
  const scratch = await makeScratch()
  const config = scratch.at('imageset-config.yaml')
  const content = scratch.at('content')
  const publish: Lane['publish'] = async (more) => {
    const stores = await openStores()
    await publishSamples(stores.registry(source.host), more)
    await stores.close()
  }
  await publish(samples)
  return {
    source,
    scratch,
    config,
    content,
    publish,
    configure: async (images, more) => {
      const asked = images.map((image) =>
        typeof image === 'object' && 'sample' in image ? `${source.host}/${nameOf(image)}` : image,
      )
      await writeConfig(config, asked, more)
    },
    mirror: (flags = [], options = {}) => mirrorSeq(['-c', config, '--content', content, ...flags], options),
    [Symbol.asyncDispose]: async () => {
      await source.stop()
      await scratch[Symbol.asyncDispose]()
    },
  }
}
