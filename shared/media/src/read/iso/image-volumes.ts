import { basename } from 'node:path'
import { byByte } from '@carryall/shipment'
import { Doubles } from '../doubles.ts'
import { namedChunks } from '../named-chunks.ts'
import { describesVolume, inReadingOrder, isVolumeName } from '../own-files.ts'
import type { VolumeFile, VolumeSource } from '../volume-source.ts'
import { type Image, openImage } from './image.ts'
import { type ImageFile, listImage } from './list-image.ts'

/**
 * The volumes of an ISO 9660 image or of a block device: its root, or directories in its root; none where it has none. All of its
 * directories are read before the first is given. Throws as `listImage` does, and INPUT_NOT_FOUND.
 */
export async function* imageVolumes(
  path: string,
  signal?: AbortSignal,
): AsyncGenerator<VolumeSource, void, undefined> {
  const image = shared(await openImage(path))
  try {
    const files = await listImage(image, signal)
    for (const { name, root, own: found } of volumesIn(path, files)) {
      const own = inReadingOrder(found.map((file) => volumeFile(image, file, file.path.slice(root.length))))
      const doubles = new Doubles(path)
      for (const file of own) doubles.add(file.path)
      let closed = false
      image.hold()
      yield {
        name,
        place: root === '' ? path : `${path}: ${name}`,
        replayable: true,
        async *files() {
          yield* own
        },
        close: async () => {
          if (!closed) await image.close()
          closed = true
        },
      }
    }
  } finally {
    await image.close()
  }
}

interface Found {
  readonly name: string
  /** What the paths of its files begin with. */
  readonly root: string
  readonly own: readonly ImageFile[]
}

function volumesIn(path: string, files: readonly ImageFile[]): readonly Found[] {
  const paths = new Set(files.map((file) => file.path))
  if (describesVolume((name) => paths.has(name)))
    return [{ name: basename(path).replace(/\.iso$/i, ''), root: '', own: files }]
  const tops = Map.groupBy(files, (file) => file.path.slice(0, file.path.indexOf('/') + 1))
  return [...tops]
    .map(([root, own]) => ({ name: root.slice(0, -1), root, own }))
    .filter(
      ({ name, root }) =>
        isVolumeName(name) || describesVolume((file) => root !== '' && paths.has(`${root}${file}`)),
    )
    .toSorted((a, b) => byByte(a.name, b.name))
}

function volumeFile(image: Image, { size, extents }: ImageFile, path: string): VolumeFile {
  async function* data(signal?: AbortSignal) {
    for (const extent of extents) yield* image.chunks(extent.position, extent.size, signal)
  }
  return { path, size, chunks: (signal) => namedChunks(data(signal), { path, size, place: image.place }) }
}

/** An image that is closed when all who hold it have closed it; who opens it holds it. */
function shared(image: Image): Image & { readonly hold: () => void } {
  let holders = 1
  return {
    ...image,
    hold: () => void (holders += 1),
    close: async () => {
      holders -= 1
      if (holders === 0) await image.close()
    },
  }
}
