import { lstat } from 'node:fs/promises'
import { isAbsolute, join, relative } from 'node:path'
import { CarryallError, fromSystemError } from '@carryall/errors'
import { metadataFiles, type MetadataFile } from '@carryall/media'
import type { ShipmentFile, TransferPlan, VolumeEntry } from '@carryall/schemas'
import { readShipment } from '@carryall/shipment'

/** The shipments of a plan, proven to be those that were planned. */
export interface Sources {
  /** What goes on every volume. */
  readonly metadata: readonly MetadataFile[]
  /** Path of a file of a shipment. */
  pathOf(entry: Pick<VolumeEntry, 'chain' | 'shipment' | 'path'>): string
  /** Proves that these files are there, with the size and the sum of the shipment's metadata, as planned. */
  check(entries: readonly VolumeEntry[]): Promise<void>
}

interface Place {
  readonly directory: string
  /** Of what is carried. */
  readonly files?: ReadonlyMap<string, ShipmentFile>
}

/**
 * Opens the shipments of a plan where the plan says, or in `content`. Their metadata has to be that of the plan. Throws
 * INPUT_NOT_FOUND, DIGEST_MISMATCH, INDEX_MISMATCH; `check` FILE_MISSING, SIZE_MISMATCH, INDEX_MISMATCH.
 */
export async function openSources(plan: TransferPlan, content: string | undefined): Promise<Sources> {
  const places = new Map<string, Place>()
  const metadata: MetadataFile[] = []
  for (const chain of plan.chains) {
    const base = baseOf(plan, chain.name, content) ?? chain.directory
    for (const shipment of chain.shipments) {
      const directory = moved(shipment.directory, chain.directory, base) ?? join(base, shipment.name)
      metadata.push(
        ...(await metadataFiles(directory, { chain: chain.name, shipment: shipment.name, ...shipment })),
      )
      const files = shipment.carried ? await filesOf(directory) : undefined
      places.set(`${chain.name}/${shipment.name}`, files === undefined ? { directory } : { directory, files })
    }
  }
  const placeOf = ({ chain, shipment }: Pick<VolumeEntry, 'chain' | 'shipment'>): Place => {
    const place = places.get(`${chain}/${shipment}`)
    if (place !== undefined) return place
    throw new CarryallError(
      'INDEX_MISMATCH',
      `The plan has files of ${chain}/${shipment}, which is none of its shipments`,
      {
        subject: { kind: 'shipment', name: shipment },
        hint: 'Plan again',
      },
    )
  }
  return {
    metadata,
    pathOf: (entry) => join(placeOf(entry).directory, entry.path),
    async check(entries) {
      for (const entry of entries) {
        const { directory, files } = placeOf(entry)
        checkPlanned(entry, files?.get(entry.path))
        await checkThere(entry, join(directory, entry.path))
      }
    },
  }
}

function baseOf(plan: TransferPlan, chain: string, content: string | undefined): string | undefined {
  return content === undefined || plan.chains.length === 1 ? content : join(content, chain)
}

/** A directory inside the content directory moves with it. */
function moved(directory: string | undefined, from: string, to: string): string | undefined {
  if (directory === undefined) return undefined
  const below = relative(from, directory)
  return below.startsWith('..') || isAbsolute(below) ? directory : join(to, below)
}

async function filesOf(directory: string): Promise<ReadonlyMap<string, ShipmentFile>> {
  const { metadata } = await readShipment(directory)
  return new Map(metadata.files.map((file) => [file.path, file]))
}

function checkPlanned(entry: VolumeEntry, file: ShipmentFile | undefined): void {
  const end = (entry.offset ?? 0) + entry.size_bytes
  if (file?.sha256 === entry.sha256 && file.size_bytes === entry.file_size_bytes && end <= file.size_bytes)
    return
  throw new CarryallError('INDEX_MISMATCH', `${entry.shipment} has no file ${entry.path} as it was planned`, {
    subject: { kind: 'file', name: entry.path },
    expected: entry.sha256,
    actual: file?.sha256 ?? 'absent',
    hint: 'Plan again',
  })
}

async function checkThere(entry: VolumeEntry, path: string): Promise<void> {
  const subject = { kind: 'file', name: path } as const
  const hint = `See what else is wrong: seq-meta verify --fast`
  const found = await lstat(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new CarryallError('FILE_MISSING', `${path} is missing`, { subject, hint, cause: error })
    throw fromSystemError(error, `open ${path}`, { subject })
  })
  if (found.isFile() && found.size === entry.file_size_bytes) return
  throw new CarryallError('SIZE_MISMATCH', `${path} is not a file of ${entry.file_size_bytes} bytes`, {
    subject,
    expected: entry.file_size_bytes,
    actual: found.size,
    hint,
  })
}
