import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { acquireLock, commitFile, ensureDirectory, removeOrphans } from '@carryall/durable'
import { CarryallError, fromSystemError } from '@carryall/errors'
import { layoutRepository } from './entry-name.ts'
import { IndexFile } from './index-file.ts'
import { LayoutBlobs } from './layout-blobs.ts'
import { EMPTY_INDEX, printIndex } from './layout-index.ts'
import { layoutStore, type LayoutStore } from './layout-store.ts'
import { checkVersion, OCI_LAYOUT } from './layout-version.ts'

// Beside what image-spec names, which other tools leave alone: the lock and unfinished uploads.
const PRIVATE = '.oci-layout'
const PARTS = ['oci-layout', 'index.json', 'blobs', PRIVATE]

export interface LayoutOptions {
  /** Takes the lock, and makes a layout of an absent or empty directory. */
  readonly write?: boolean
  /** Seconds to wait for another writer. */
  readonly waitSeconds?: number
  /** Who holds the lock, for those who wait. */
  readonly holder?: string
  readonly signal?: AbortSignal
}

/**
 * Opens an OCI image layout (image-spec: image-layout) as a store. Its repositories are told apart by the names in
 * index.json: `repository:tag` and `repository@digest`; a plain `tag`, as other tools write it, belongs to
 * `layoutRepository(directory)`. Blobs are shared by all repositories. One writer at a time; readers need no lock.
 * Throws INPUT_NOT_FOUND, CONFIG_UNSUPPORTED for another layout version, OUTPUT_EXISTS, LOCK_HELD.
 */
export async function openLayout(directory: string, options: LayoutOptions = {}): Promise<LayoutStore> {
  const root = resolve(directory)
  const stagingDirectory = join(root, PRIVATE, 'uploads')
  const release = options.write ? await prepare(root, stagingDirectory, options) : undefined
  try {
    await readVersion(root)
    const index = new IndexFile(join(root, 'index.json'), layoutRepository(root))
    await index.read()
    const blobs = new LayoutBlobs(join(root, 'blobs', 'sha256'))
    return layoutStore({
      directory: root,
      stagingDirectory,
      index,
      blobs,
      ...(release === undefined ? {} : { release }),
    })
  } catch (error) {
    await release?.()
    throw error
  }
}

/** Locks the layout and completes it; `oci-layout` is written last, so that a half-made one is not taken for whole. */
async function prepare(root: string, staging: string, options: LayoutOptions): Promise<() => Promise<void>> {
  const strangers = (await entriesOf(root)).filter((name) => !PARTS.includes(name))
  const isNew = !(await entriesOf(root)).includes('oci-layout')
  if (isNew && strangers.length > 0) {
    throw new CarryallError(
      'OUTPUT_EXISTS',
      `Cannot make an OCI layout in "${root}": it holds other files, such as "${strangers[0]}"`,
      {
        hint: 'Name an empty or new directory, or an OCI layout',
        subject: { kind: 'file', name: root },
      },
    )
  }
  const blobs = join(root, 'blobs', 'sha256')
  for (const path of [staging, blobs]) await ensureDirectory(path)
  const lock = await acquireLock(join(root, PRIVATE, 'lock'), {
    waitSeconds: options.waitSeconds ?? 0,
    holder: options.holder ?? 'a writer of this OCI layout',
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  })
  try {
    for (const path of [root, blobs]) await removeOrphans(path)
    const present = await entriesOf(root)
    const write = (name: string, text: string) => commitFile(join(root, name), text, { replace: false })
    if (!present.includes('index.json')) await write('index.json', printIndex(EMPTY_INDEX))
    if (!present.includes('oci-layout')) await write('oci-layout', OCI_LAYOUT)
  } catch (error) {
    await lock.release()
    throw error
  }
  return () => lock.release()
}

async function entriesOf(directory: string): Promise<string[]> {
  return readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw fromSystemError(error, `read the directory "${directory}"`)
  })
}

async function readVersion(root: string): Promise<void> {
  const file = join(root, 'oci-layout')
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw fromSystemError(error, `read "${file}"`, { hint: 'Name the directory of an OCI image layout' })
  })
  checkVersion(text, file)
}
