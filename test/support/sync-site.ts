import { startDockerRegistry, type DockerRegistry } from '@carryall/oci/testing'
import { publishSamples, type Named } from './sample-set.ts'
import { makeScratch, type Scratch } from './scratch.ts'
import { openStores } from './stores.ts'

/** A production registry, a DR registry, and a directory to work in. */
export interface SyncSite extends AsyncDisposable {
  readonly prod: DockerRegistry
  readonly dr: DockerRegistry
  readonly scratch: Scratch
}

/** Starts two docker-registries, of which the first holds `images`. */
export async function startSyncSite(images: readonly Named[]): Promise<SyncSite> {
  const [prod, dr, scratch] = [await startDockerRegistry(), await startDockerRegistry(), await makeScratch()]
  await publish(prod.host, images)
  return {
    prod,
    dr,
    scratch,
    async [Symbol.asyncDispose]() {
      await prod.stop()
      await dr.stop()
      await scratch[Symbol.asyncDispose]()
    },
  }
}

/** Pushes images to a registry that lets everybody in. */
export async function publish(host: string, images: readonly Named[]): Promise<void> {
  const stores = await openStores()
  await publishSamples(stores.registry(host), images)
  await stores.close()
}
