import type { Stats } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { isCarryallError } from '@carryall/errors'
import { byByte } from '@carryall/shipment'
import { directoryVolume } from './directory-volume.ts'
import { imageVolumes } from './iso/image-volumes.ts'
import { directoryNames, kindOf, statOf } from './list-directory.ts'
import { DESCRIPTIONS, describesVolume, isVolumeName } from './own-files.ts'
import { fileUnexpected, volumeInvalid } from './volume-invalid.ts'
import type { VolumeSource } from './volume-source.ts'

const IMAGE = /\.iso$/i
const MAX_NAMES = 100_000

/**
 * The volumes of a directory, sorted: itself where it describes one, else those in it, as directories or in images. Other files are
 * nobody's business. Throws FILE_UNEXPECTED where what is named as a volume or an image is a link, a FIFO or a device.
 */
export async function* mediumVolumes(
  path: string,
  signal?: AbortSignal,
): AsyncGenerator<VolumeSource, void, undefined> {
  const found = await namesIn(path)
  if (describesVolume((name) => found.has(name))) return yield directoryVolume(path, signal)
  let none = true
  for (const name of [...found].toSorted(byByte)) {
    const child = join(path, name)
    const stats = await present(child)
    if (stats === undefined) continue
    if ((isVolumeName(name) || IMAGE.test(name)) && !stats.isFile() && !stats.isDirectory())
      throw fileUnexpected(kindOf(stats), name, path)
    if (stats.isDirectory() && (isVolumeName(name) || (await describes(child)))) {
      none = false
      yield directoryVolume(child, signal)
    }
    if (stats.isFile() && IMAGE.test(name)) {
      none = false
      yield* imageVolumes(child, signal)
    }
  }
  // A volume that has lost its description is a damaged one, and no empty medium.
  if (none && isVolumeName(basename(resolve(path)))) yield directoryVolume(path, signal)
}

async function namesIn(path: string): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  for await (const names of directoryNames(path)) {
    // What is not UTF-8 is no volume's name, whatever it comes out as.
    for (const name of names) found.add(name.toString())
    if (found.size > MAX_NAMES)
      throw volumeInvalid(`there are more than ${MAX_NAMES} files in it`, path, {
        hint: 'Name the directory of the volume itself',
      })
  }
  return found
}

async function describes(directory: string): Promise<boolean> {
  for (const name of DESCRIPTIONS) if ((await present(join(directory, name))) !== undefined) return true
  return false
}

async function present(path: string): Promise<Stats | undefined> {
  try {
    return await statOf(path)
  } catch (error) {
    if (isCarryallError(error, 'INPUT_NOT_FOUND')) return undefined
    throw error
  }
}
