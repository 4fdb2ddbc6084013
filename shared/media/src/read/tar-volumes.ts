import type { Readable } from 'node:stream'
import { readTarStream, type StreamedEntry } from '@carryall/archive'
import { Census } from './census.ts'
import { Doubles } from './doubles.ts'
import { isVolumeName } from './own-files.ts'
import { volumeInvalid } from './volume-invalid.ts'
import type { VolumeFile, VolumeSource } from './volume-source.ts'

/**
 * The volumes of a tar stream, each under a directory that is named as volumes are; what is outside of these is passed over. What is
 * not read of one when the next is asked for is passed over. Throws as `readTarStream` does; VOLUME_INVALID where a volume comes in several stretches.
 */
export async function* tarVolumes(
  source: Readable | AsyncIterable<Buffer>,
  place: string,
  signal?: AbortSignal,
): AsyncGenerator<VolumeSource, void, undefined> {
  const entries = new Cursor(readTarStream(source, { name: place, signal }), place)
  const seen = new Set<string>()
  try {
    await entries.advance()
    while (entries.current !== undefined) {
      const root = rootOf(entries.current)
      if (root === undefined) {
        await entries.advance()
        continue
      }
      if (seen.has(root)) throw volumeInvalid(`the volume ${root} comes in several stretches`, place)
      seen.add(root)
      yield streamedVolume(entries, root, place)
      while (entries.current !== undefined && rootOf(entries.current) === root) await entries.advance()
    }
  } finally {
    await entries.close()
  }
}

function streamedVolume(entries: Cursor, root: string, place: string): VolumeSource {
  let used = false
  return {
    name: root.slice(root.lastIndexOf('/') + 1),
    place: `${place}: ${root}`,
    replayable: false,
    files: () => {
      if (used) throw new RangeError(`Streamed by already: ${root}`)
      used = true
      return filesUnder(entries, root, place)
    },
    close: async () => undefined,
  }
}

async function* filesUnder(
  entries: Cursor,
  root: string,
  place: string,
): AsyncGenerator<VolumeFile, void, undefined> {
  const doubles = new Doubles(place)
  for (let entry = entries.current; entry !== undefined && rootOf(entry) === root; entry = entries.current) {
    const { name, size, chunks } = entry
    const path = name.slice(root.length + 1)
    doubles.add(path)
    yield { path, size, chunks }
    await entries.advance()
  }
}

/** The directory of the volume that a file belongs to: up to the first component that is named as such. */
function rootOf({ name }: StreamedEntry): string | undefined {
  const directories = name.split('/').slice(0, -1)
  const index = directories.findIndex(isVolumeName)
  return index < 0 ? undefined : directories.slice(0, index + 1).join('/')
}

/** The file at which a stream is. */
class Cursor {
  readonly #entries: AsyncGenerator<StreamedEntry, void, undefined>
  readonly #census: Census
  current: StreamedEntry | undefined

  constructor(entries: AsyncGenerator<StreamedEntry, void, undefined>, place: string) {
    this.#entries = entries
    this.#census = new Census(place)
  }

  async advance(): Promise<void> {
    do {
      const { value } = await this.#entries.next()
      this.current = value ?? undefined
      if (this.current !== undefined) this.#census.add(this.current.name, this.current.size)
      // Some writers name the directories of several volumes before the files of the first.
    } while (this.current?.type === 'directory')
  }

  async close(): Promise<void> {
    await this.#entries.return()
  }
}
