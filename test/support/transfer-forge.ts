import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { writeVolume } from '@carryall/media/testing'
import type { Volume } from '@carryall/schemas'
import type { Media, World } from './transfer-world.ts'

/** Files of a volume by path, but its `SHA256SUMS`. */
export type VolumeFiles = Map<string, Buffer>

/** Media like these, one volume of which somebody has changed who also made a `SHA256SUMS` that fits; `number` from 1. */
export async function forge(
  world: World,
  media: Media,
  number: number,
  change: (files: VolumeFiles) => unknown,
): Promise<Media> {
  const root = world.fresh('forged')
  const volumes = await Promise.all(
    media.volumes.map(async (volume, index) => {
      if (index !== number - 1) return volume
      const files = await readFiles(volume)
      await change(files)
      const directory = join(root, relative(join(volume, '..'), volume))
      await writeVolume(directory, files)
      return directory
    }),
  )
  return { ...media, volumes }
}

/** The same for every volume. */
export async function forgeAll(
  world: World,
  media: Media,
  change: (files: VolumeFiles) => unknown,
): Promise<Media> {
  let forged = media
  for (const index of media.volumes.keys()) forged = await forge(world, forged, index + 1, change)
  return forged
}

/** Changes what a volume says of itself. */
export function edit(files: VolumeFiles, change: (volume: Volume) => unknown): void {
  const volume = JSON.parse(files.get('volume.json')!.toString()) as Volume
  change(volume)
  files.set('volume.json', Buffer.from(JSON.stringify(volume)))
}

/** Lets two files have each other's bytes. */
export function exchange(files: VolumeFiles, one: string, two: string): void {
  const [first, second] = [files.get(one)!, files.get(two)!]
  files.set(one, second).set(two, first)
}

export async function readFiles(directory: string): Promise<VolumeFiles> {
  const files: VolumeFiles = new Map()
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name)
    const name = relative(directory, path)
    if (entry.isFile() && name !== 'SHA256SUMS') files.set(name, await readFile(path))
  }
  return files
}

/** Stored paths of the parts on a volume, sorted. */
export function partsOf(files: VolumeFiles): readonly string[] {
  return [...files.keys()].filter((path) => path.startsWith('parts/')).sort()
}
