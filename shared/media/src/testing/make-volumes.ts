import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { toPrettyJson, type Volume, type VolumeEntry } from '@carryall/schemas'
import { byByte, formatSums, type Shipment } from '@carryall/shipment'

export interface SetSample {
  /** By number; of one chain. */
  readonly shipments: readonly Shipment[]
  /** Numbers whose files are carried; all if absent. */
  readonly carried?: readonly number[]
  readonly from?: { readonly sequence_number: number; readonly metadata_digest: string }
  readonly site?: string
  /** Files that are larger become parts of this many bytes. */
  readonly partBytes?: number
  /** Entries are dealt out to so many volumes, one after the other; 1 if absent. */
  readonly volumes?: number
}

/**
 * Writes the volumes of a set by hand, as another packer would: their directories below `out`, by number. The set is named
 * by what it holds, so the same sample gives the same bytes.
 */
export async function makeVolumes(out: string, sample: SetSample): Promise<readonly string[]> {
  const { shipments, carried, from, site, partBytes = Infinity, volumes = 1 } = sample
  const target = shipments.at(-1)!
  const chain = target.metadata.chain.name
  const crossing = shipments.map(({ metadata, metadataDigest, metadataFile }) => ({
    sequence_number: metadata.sequence_number,
    metadata_digest: metadataDigest,
    name: metadata.name,
    metadata_file: metadataFile,
    carried: carried?.includes(metadata.sequence_number) ?? true,
    size_bytes: metadata.files.reduce((sum, file) => sum + file.size_bytes, 0),
  }))
  const small = await smallFiles(shipments)
  const pieces = shipments.flatMap((shipment, index) =>
    crossing[index]!.carried ? piecesOf(shipment, chain, partBytes) : [],
  )
  const set = `sha256:${sha256(JSON.stringify([crossing, partBytes, volumes, site ?? null, from ?? null]))}`
  const made: string[] = []
  for (let number = 1; number <= volumes; number++) {
    const own = pieces.filter((_, index) => index % volumes === number - 1)
    const document: Volume = {
      apiVersion: 'carryall/v1',
      kind: 'Volume',
      set,
      number,
      volumes,
      ...(site === undefined ? {} : { site }),
      chains: [
        {
          ...target.metadata.chain,
          ...(from === undefined ? {} : { from }),
          target: {
            sequence_number: target.metadata.sequence_number,
            metadata_digest: target.metadataDigest,
            name: target.metadata.name,
          },
          shipments: crossing,
        },
      ],
      metadata: small.map(({ bytes, ...entry }) => ({ ...entry, size_bytes: bytes.length })),
      entries: own.map(({ entry }) => entry),
      tool: { name: 'by-hand', version: '1' },
    }
    const files = new Map<string, Buffer>([
      ['volume.json', Buffer.from(`${toPrettyJson(document)}\n`)],
      ...small.map(({ stored, bytes }): [string, Buffer] => [stored, bytes]),
    ])
    for (const { entry, shipment } of own) files.set(entry.stored, await bytesOf(shipment, entry))
    const directory = join(out, `carryall-${set.slice(7, 15)}-${String(number).padStart(3, '0')}`)
    await writeVolume(directory, files)
    made.push(directory)
  }
  return made
}

/** Writes these files and a `SHA256SUMS` that fits them. */
export async function writeVolume(directory: string, files: ReadonlyMap<string, Buffer>): Promise<void> {
  const sums = [...files].map(([path, bytes]) => ({ path, sha256: sha256(bytes) }))
  for (const [path, bytes] of [...files, ['SHA256SUMS', Buffer.from(formatSums(sums))] as const]) {
    await mkdir(dirname(join(directory, path)), { recursive: true })
    await writeFile(join(directory, path), bytes)
  }
}

interface SmallFile {
  readonly chain: string
  readonly shipment: string
  readonly path: string
  readonly stored: string
  readonly bytes: Buffer
}

async function smallFiles(shipments: readonly Shipment[]): Promise<readonly SmallFile[]> {
  const files: SmallFile[] = []
  for (const { directory, metadata, metadataFile } of shipments) {
    const signatures = (await readdir(directory)).filter((name) => /^SHA256SUMS\..*\.asc$/.test(name))
    for (const path of [metadataFile, 'SHA256SUMS', ...signatures.sort(byByte)]) {
      const chain = metadata.chain.name
      const stored = `${chain}/${metadata.name}/${path}`
      files.push({
        chain,
        shipment: metadata.name,
        path,
        stored,
        bytes: await readFile(join(directory, path)),
      })
    }
  }
  return files
}

function piecesOf(
  shipment: Shipment,
  chain: string,
  partBytes: number,
): readonly { readonly entry: VolumeEntry; readonly shipment: Shipment }[] {
  return shipment.metadata.files.flatMap(({ path, size_bytes, sha256: sum }) => {
    const common = { chain, shipment: shipment.metadata.name, path, file_size_bytes: size_bytes, sha256: sum }
    if (size_bytes <= partBytes)
      return [
        { shipment, entry: { ...common, size_bytes, stored: `${chain}/${shipment.metadata.name}/${path}` } },
      ]
    const parts = Math.ceil(size_bytes / partBytes)
    return Array.from({ length: parts }, (_, index) => {
      const offset = index * partBytes
      const stored = `parts/${sum.slice(0, 32)}/${String(index + 1).padStart(4, '0')}`
      const size = Math.min(partBytes, size_bytes - offset)
      return { shipment, entry: { ...common, offset, size_bytes: size, part: index + 1, parts, stored } }
    })
  })
}

async function bytesOf(shipment: Shipment, { path, offset = 0, size_bytes }: VolumeEntry): Promise<Buffer> {
  return (await readFile(join(shipment.directory, path))).subarray(offset, offset + size_bytes)
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}
