import { mkdir, rm, truncate, writeFile } from 'node:fs/promises'
import { mustRun } from './run.ts'
import type { Scratch } from './scratch.ts'

/** A file system of its own that is soon full. */
export interface SmallDisk extends AsyncDisposable {
  /** Where it is mounted. */
  readonly path: string
  /** Fills it but for about `left` bytes. */
  fill(left: number): Promise<void>
  /** Takes away what `fill` put there. */
  free(): Promise<void>
}

/** Mounts an ext4 file system in a file of `mebibytes`. Needs root. */
export async function mountSmallDisk(scratch: Scratch, mebibytes: number): Promise<SmallDisk> {
  const [image, path] = [scratch.at('disk.img'), scratch.at('disk')]
  await writeFile(image, '')
  await truncate(image, mebibytes * 2 ** 20)
  // Without blocks that are kept for root.
  await mustRun('/usr/sbin/mkfs.ext4', ['-q', '-m', '0', '-b', '4096', image])
  await mkdir(path)
  await mustRun('mount', ['-o', 'loop', image, path])
  const ballast = `${path}/ballast`
  return {
    path,
    fill: async (left) => {
      const free = Number(
        (await mustRun('stat', ['-f', '-c', '%a %S', path]))
          .toString()
          .split(' ')
          .reduce((product, part) => product * Number(part), 1),
      )
      await mustRun('fallocate', ['-l', String(free - left), ballast])
    },
    free: () => rm(ballast),
    [Symbol.asyncDispose]: async () => {
      await mustRun('umount', ['--lazy', path])
    },
  }
}
