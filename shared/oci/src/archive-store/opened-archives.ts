import type { ArchiveSource, ArchiveStore } from './archive-store.ts'
import { createArchive } from './create-archive.ts'
import { openArchive } from './open-archive.ts'
import type { ArchiveOptions } from './staging.ts'

/** Opens an OCI archive to read, or to write: then the caller calls `publish` when all is in it. */
export interface ArchiveOpener {
  (file: string, options?: { readonly write?: false }): Promise<ArchiveSource>
  (file: string, options: ArchiveOptions & { readonly write: true }): Promise<ArchiveStore>
}

/** Archives by their files, each opened once to read and once to write. */
export function openedArchives(): { readonly open: ArchiveOpener; close(): Promise<void> } {
  const sources = new Map<string, Promise<ArchiveSource>>()
  const stores = new Map<string, Promise<ArchiveStore>>()
  const once = <T>(opened: Map<string, Promise<T>>, file: string, open: () => Promise<T>): Promise<T> => {
    const known = opened.get(file) ?? open()
    opened.set(file, known)
    return known
  }

  function open(file: string, options?: { readonly write?: false }): Promise<ArchiveSource>
  function open(file: string, options: ArchiveOptions & { readonly write: true }): Promise<ArchiveStore>
  function open(
    file: string,
    options: ArchiveOptions & { readonly write?: boolean } = {},
  ): Promise<ArchiveSource> {
    return options.write === true
      ? once(stores, file, () => createArchive(file, options))
      : once(sources, file, () => openArchive(file))
  }

  return {
    open,
    async close() {
      // One that could not be opened was told to who asked for it.
      for (const opened of [...sources.values(), ...stores.values()])
        await (await opened.catch(() => undefined))?.close()
    },
  }
}
