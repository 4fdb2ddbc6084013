import { type ArchiveOpener, openedArchives } from './archive-store/opened-archives.ts'
import { openLayout, type LayoutOptions } from './layout/open-layout.ts'
import { openRegistries, type Registries, type RegistriesOptions } from './registries.ts'
import type { Destination } from './store.ts'

export type ConnectOptions = RegistriesOptions

/** Registries, layouts and archives of one side by address, each opened once. */
export interface Stores extends Registries {
  layout(directory: string, options?: LayoutOptions): Promise<Destination>
  /** An OCI archive to read, or one to write, whose `publish` the caller calls when all is in it. */
  readonly archive: ArchiveOpener
}

/** Opens stores with one set of credentials and one retry policy. Throws what `openRegistries` throws. */
export async function connectStores(options: ConnectOptions): Promise<Stores> {
  const registries = await openRegistries(options)
  const layouts = new Map<string, Promise<Destination>>()
  const archives = openedArchives()
  return {
    ...registries,
    layout(directory, how) {
      const known = layouts.get(directory) ?? openLayout(directory, how)
      layouts.set(directory, known)
      return known
    },
    archive: archives.open,
    async close() {
      for (const layout of layouts.values()) await (await layout).close()
      await archives.close()
      await registries.close()
    },
  }
}
