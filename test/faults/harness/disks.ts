import { mkdir, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { output } from './start.ts'

export type FileSystem = 'ext4' | 'xfs' | 'btrfs'

const MAKE: Readonly<Record<FileSystem, readonly string[]>> = {
  ext4: ['mkfs.ext4', '-q', '-F', '-E', 'lazy_itable_init=1,lazy_journal_init=1'],
  xfs: ['mkfs.xfs', '-q', '-f'],
  btrfs: ['mkfs.btrfs', '-q', '-f'],
}

/** A mounted file system; its end unmounts it and frees the loop device. */
export interface Mount extends AsyncDisposable {
  readonly directory: string
}

/** Makes a file system in a new sparse file of that size. xfs wants 300 MiB at least. */
export async function makeImage(path: string, type: FileSystem, bytes: number): Promise<void> {
  const file = await open(path, 'wx')
  await file.truncate(bytes)
  await file.close()
  const [program, ...args] = MAKE[type]
  await output(program!, ...args, path)
}

/** Mounts an image file on a new directory beside it. What the journal holds is replayed, as after a power cut. */
export async function mountImage(
  path: string,
  type: FileSystem,
  ...options: readonly string[]
): Promise<Mount> {
  const directory = `${path}.mount`
  await mkdir(directory)
  const device = (await output('losetup', '--find', '--show', path)).trim()
  const free = async () => {
    // btrfs knows a device by its file system until told otherwise, and an image and its copies are the same one.
    if (type === 'btrfs') await output('btrfs', 'device', 'scan', '--forget', device)
    await output('losetup', '--detach', device)
    await rm(directory, { recursive: true })
  }
  try {
    await output(
      'mount',
      '-t',
      type,
      ...(options.length > 0 ? ['-o', options.join()] : []),
      device,
      directory,
    )
  } catch (error) {
    await free()
    throw error
  }
  const end = async () => {
    await output('umount', directory)
    await free()
  }
  return { directory, [Symbol.asyncDispose]: end }
}

/** A btrfs volume in a temporary file, for images that shall be copied in an instant. All of it goes with its end. */
export async function makeReflinkVolume(bytes: number): Promise<Mount> {
  const base = await mkdtemp(join(tmpdir(), 'reflink-'))
  try {
    const image = join(base, 'volume')
    await makeImage(image, 'btrfs', bytes)
    const volume = await mountImage(image, 'btrfs')
    const end = async () => {
      await volume[Symbol.asyncDispose]()
      await rm(base, { recursive: true })
    }
    return { directory: volume.directory, [Symbol.asyncDispose]: end }
  } catch (error) {
    await rm(base, { recursive: true })
    throw error
  }
}

/**
 * Cuts the power, as seen by a copy: `copy` holds what the disk `image` held at one moment, while its file system goes on
 * living. Both lie on a reflink volume. Order of writes is kept; what was in flight is not reordered.
 */
export async function cutPower(image: string, copy: string): Promise<void> {
  await output('cp', '--reflink=always', image, copy)
}
