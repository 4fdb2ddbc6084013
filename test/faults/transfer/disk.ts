import { rm, statfs, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { type FileSystem, makeImage, mountImage, output, start } from '../harness/index.ts'

const MIB = 1024 * 1024
const SIZE: Readonly<Record<FileSystem, number>> = { ext4: 64 * MIB, xfs: 320 * MIB, btrfs: 256 * MIB }

/** A disk of its own that gets full, or that is pulled out. */
export interface Disk extends AsyncDisposable {
  /** Where it is mounted. */
  readonly directory: string
  /** What `fill` takes. */
  readonly ballast: string
  /** Takes all room but for about so many bytes. */
  fill(left: number): Promise<void>
  /** Gives the room back. */
  free(): Promise<void>
  /** Unmounts it, whoever works on it. */
  unmount(): Promise<void>
  /** Mounts it once more, when nobody works on it any longer. */
  mount(): Promise<void>
  /** Takes it away while it is mounted: whatever is read or written from now on is an error. */
  pull(): Promise<void>
}

/** Makes a disk in a new image file and mounts it. */
export async function insertDisk(image: string, type: FileSystem): Promise<Disk> {
  await makeImage(image, type, SIZE[type])
  // Nothing is kept for root, who runs the tools here.
  if (type === 'ext4') await output('tune2fs', '-m', '0', image)
  const mounted = await mountImage(image, type)
  const { directory } = mounted
  const ballast = join(directory, 'ballast')
  const device = async () =>
    (await output('losetup', '--associated', image, '--noheadings', '--output', 'NAME')).trim()
  let isMounted = true
  const mount = async () => {
    await output('mount', await device(), directory)
    isMounted = true
  }
  const end = async () => {
    if (!isMounted) await mount()
    await mounted[Symbol.asyncDispose]()
    await rm(image)
  }
  return {
    directory,
    ballast,
    async fill(left) {
      const { bavail, bsize } = await statfs(directory)
      let room = Math.max(0, bavail * bsize - left)
      let offset = 0
      // Not all that is free can be had in one piece.
      for (let piece = room; piece >= bsize; piece = Math.min(room, piece)) {
        const taken = await takes('fallocate', '--offset', String(offset), '--length', String(piece), ballast)
        if (taken) {
          offset += piece
          room -= piece
        } else piece = Math.floor(piece / 2)
      }
    },
    free: () => rm(ballast),
    mount,
    async unmount() {
      await output('umount', '--lazy', directory)
      isMounted = false
    },
    async pull() {
      await truncate(image, 0)
      await output('losetup', '--set-capacity', await device())
    },
    [Symbol.asyncDispose]: end,
  }
}

async function takes(...argv: readonly string[]): Promise<boolean> {
  const { exitCode } = await start(argv).exit
  return exitCode === 0
}
