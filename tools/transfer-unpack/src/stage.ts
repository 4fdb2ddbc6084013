import { createHash, type Hash } from 'node:crypto'
import { lstat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  commitFile,
  ensureDirectory,
  mendTree,
  openAssembly,
  readChunks,
  removeTree,
  type Assembly,
  type Piece,
} from '@carryall/durable'
import { CarryallError, isCarryallError } from '@carryall/errors'
import type { ShipmentDocument, ShipmentFile, VolumeEntry } from '@carryall/schemas'
import { hashFile } from '@carryall/shipment'
import { exactly } from './exactly.ts'

/** Smaller files are not synced one by one: all are when the tree is published, and read again by the next run until then. */
const SYNC_EACH = 1024 * 1024

/** A shipment that is being put together, in its staging directory. */
export interface Stage extends AsyncDisposable {
  readonly tree: string
  /** Files that are not whole yet, in the order of the metadata. */
  missing(): readonly ShipmentFile[]
  /** Bytes still to come. */
  missingBytes(): number
  /** True where an entry brings something that is not here. */
  wants(entry: VolumeEntry): boolean
  /**
   * Forgets the files that were never synced one by one, after a sync of the tree has failed: what is read back of them may
   * be in the cache alone.
   */
  distrust(): Promise<void>
  /**
   * Takes an entry's bytes: exactly as many as it says. A whole file appears in the tree once its sha256 is right, a part is
   * recorded, and the last part makes the file. Throws SIZE_MISMATCH, DIGEST_MISMATCH (82), and as `commitFile` does.
   */
  take(entry: VolumeEntry, chunks: AsyncIterable<Buffer>, proven: Proven): Promise<void>
}

/** Told the sha256 (hex) of an entry's bytes before they count; throws where they are not what they should be. */
export type Proven = (sha256: string) => void

/** A file in parts, while this run works on it. */
interface Open {
  readonly assembly: Assembly
  /** sha256 of all before `position`, while parts come in their order. */
  readonly hash: Hash
  position: number
}

/** Opens the staging directory of a shipment and finds what earlier runs left whole in it. */
export async function openStage(directory: string, shipment: ShipmentDocument): Promise<Stage> {
  const tree = join(directory, 'tree')
  const parts = join(directory, 'parts')
  await ensureDirectory(tree)
  await ensureDirectory(parts)
  for (const place of [tree, parts]) await mendTree(place)
  const files = new Map(shipment.files.map((file) => [file.path, file]))
  const whole = new Set<string>()
  const open = new Map<string, Open>()
  await using held = new AsyncDisposableStack()
  held.defer(async () => {
    for (const { assembly } of open.values()) await assembly[Symbol.asyncDispose]()
  })
  const covered = (file: ShipmentFile): number => coverage(open.get(file.path)?.assembly.pieces ?? [])
  for (const file of shipment.files) {
    if (await isWhole(join(tree, file.path), file)) {
      whole.add(file.path)
      continue
    }
    const found = await lstat(join(parts, assemblyName(file))).catch(() => undefined)
    if (found === undefined) continue
    const part = await opened(file)
    if (covered(file) === file.size_bytes) await finishAgain(file, part)
  }

  async function opened(file: ShipmentFile): Promise<Open> {
    const known = open.get(file.path)
    if (known !== undefined) return known
    const assembly = await openAssembly(parts, assemblyName(file), file.size_bytes)
    const fresh: Open = { assembly, hash: createHash('sha256'), position: 0 }
    open.set(file.path, fresh)
    return fresh
  }

  const missing = (): readonly ShipmentFile[] => shipment.files.filter((file) => !whole.has(file.path))

  async function finish(file: ShipmentFile, { assembly, hash, position }: Open): Promise<void> {
    if (position < file.size_bytes)
      for await (const chunk of readChunks(assembly.handle, position, file.size_bytes - position))
        hash.update(chunk)
    const actual = hash.digest('hex')
    if (actual !== file.sha256) {
      await assembly.forget()
      await assembly[Symbol.asyncDispose]()
      open.delete(file.path)
      throw mismatch(file, actual)
    }
    await ensureDirectory(dirname(join(tree, file.path)))
    await assembly.commit(join(tree, file.path))
    await assembly[Symbol.asyncDispose]()
    open.delete(file.path)
    whole.add(file.path)
  }

  /** A run was killed before it named the file. What is wrong with it then shall only be wanted again. */
  async function finishAgain(file: ShipmentFile, part: Open): Promise<void> {
    try {
      await finish(file, part)
    } catch (error) {
      if (!isCarryallError(error, 'DIGEST_MISMATCH')) throw error
    }
  }

  async function takePart(
    file: ShipmentFile,
    entry: VolumeEntry,
    chunks: AsyncIterable<Buffer>,
    proven: Proven,
  ): Promise<void> {
    const part = await opened(file)
    const offset = entry.offset ?? 0
    const hash = createHash('sha256')
    const inOrder = part.position === offset
    let at = offset
    for await (const chunk of exactly(chunks, entry)) {
      await part.assembly.write(chunk, at, (bytes) => {
        hash.update(bytes)
        if (inOrder) part.hash.update(bytes)
      })
      at += chunk.length
      if (inOrder) part.position = at
    }
    proven(hash.digest('hex'))
    await part.assembly.record({ offset, size: entry.size_bytes })
    if (covered(file) === file.size_bytes) await finish(file, part)
  }

  const kept = held.move()
  return {
    tree,
    missing,
    missingBytes: () => missing().reduce((sum, file) => sum + file.size_bytes - covered(file), 0),
    wants(entry) {
      const file = files.get(entry.path)
      if (file === undefined || whole.has(entry.path)) return false
      const offset = entry.offset ?? 0
      const pieces = open.get(entry.path)?.assembly.pieces ?? []
      return !pieces.some(
        (piece) => piece.offset <= offset && offset + entry.size_bytes <= piece.offset + piece.size,
      )
    },
    async take(entry, chunks, proven) {
      const file = files.get(entry.path)!
      if (entry.part !== undefined) return takePart(file, entry, chunks, proven)
      const target = join(tree, file.path)
      await ensureDirectory(dirname(target))
      const hash = createHash('sha256')
      await commitFile(target, exactly(chunks, entry), {
        sync: file.size_bytes >= SYNC_EACH,
        tap: (chunk) => hash.update(chunk),
        prove() {
          const actual = hash.digest('hex')
          if (actual !== file.sha256) throw mismatch(file, actual)
          proven(actual)
        },
      })
      whole.add(file.path)
    },
    async distrust() {
      for (const file of shipment.files) {
        if (file.size_bytes >= SYNC_EACH) continue
        whole.delete(file.path)
        await removeTree(join(tree, file.path))
      }
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** By its path: two files may have the same content. */
function assemblyName({ path }: ShipmentFile): string {
  return createHash('sha256').update(path).digest('hex')
}

/** How many bytes pieces cover, by offset: those of two plans may overlap. */
function coverage(pieces: readonly Piece[]): number {
  let end = 0
  let bytes = 0
  for (const { offset, size } of pieces) {
    bytes += Math.max(0, offset + size - Math.max(end, offset))
    end = Math.max(end, offset + size)
  }
  return bytes
}

/** A file that an earlier run left: large ones got their name when they were durable, small ones are read again. */
async function isWhole(path: string, file: ShipmentFile): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined)
  if (found === undefined) return false
  const same = found.isFile() && found.size === file.size_bytes
  if (same && file.size_bytes >= SYNC_EACH) return true
  if (same && (await hashFile(path)).sha256 === file.sha256) return true
  await removeTree(path)
  return false
}

function mismatch(file: ShipmentFile, actual: string): CarryallError {
  return new CarryallError('DIGEST_MISMATCH', `${file.path} arrived with other bytes`, {
    subject: { kind: 'file', name: file.path },
    expected: file.sha256,
    actual,
    hint: 'Have the volumes with it made again: transfer-pack --volume N --force',
  })
}
