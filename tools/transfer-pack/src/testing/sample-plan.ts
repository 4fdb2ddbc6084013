import { createCipheriv, createHash } from 'node:crypto'
import { join } from 'node:path'
import { metadataFiles, packVolumes, type PackFile } from '@carryall/media'
import type { Medium, TransferPlan } from '@carryall/schemas'
import type { Shipment } from '@carryall/shipment'
import { makeShipment } from '@carryall/shipment/testing'

export const MEDIUM: Medium = {
  name: '1.5MB',
  capacity_bytes: 1_500_000,
  filesystem: 'plain',
  cluster_bytes: 4096,
}
export const UNLIMITED: Medium = { name: 'unlimited', filesystem: 'plain', cluster_bytes: 4096 }

/** Text of so many bytes that does not repeat in any block. */
export function longText(bytes: number, seed: string): string {
  const key = createHash('sha256').update(seed).digest()
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
    .update(Buffer.alloc(Math.ceil(bytes * 0.75)))
    .toString('base64')
    .slice(0, bytes)
}

/** Two shipments of a chain, the second of a kind that nobody knows, with small files, deep ones and one of 4 MB. */
export async function makeContent(root: string): Promise<readonly [Shipment, Shipment]> {
  const content = join(root, 'content')
  const first = await makeShipment(content, {
    number: 1,
    files: { 'payload.bin': longText(100_000, 'first') },
  })
  const second = await makeShipment(content, {
    ...{ number: 2, previous: first, kind: 'Unheard', lane: 'release' },
    files: {
      'large.tar': longText(3_900_000, 'large'),
      'middle.tar': longText(1_100_000, 'middle'),
      'deep/er/small.txt': 'small\n',
      'odd \'name\' "here" é': 'odd\n',
      empty: '',
    },
  })
  return [first, second]
}

/** A plan, as transfer-plan would make it: of these shipments the numbers in `carried` with their files. */
export async function makePlan(
  shipments: readonly Shipment[],
  media: readonly Medium[],
  carried: readonly number[] = shipments.map(({ metadata }) => metadata.sequence_number),
): Promise<TransferPlan> {
  const target = shipments.at(-1)!
  const { chain } = target.metadata
  const crossing = shipments.map(({ metadata, metadataDigest, metadataFile }) => ({
    sequence_number: metadata.sequence_number,
    metadata_digest: metadataDigest,
    name: metadata.name,
    metadata_file: metadataFile,
    carried: carried.includes(metadata.sequence_number),
    size_bytes: metadata.files.reduce((sum, file) => sum + file.size_bytes, 0),
    reason: 'wanted',
  }))
  const chains: TransferPlan['chains'] = [
    {
      ...chain,
      target: {
        sequence_number: target.metadata.sequence_number,
        metadata_digest: target.metadataDigest,
        name: target.metadata.name,
      },
      directory: join(target.directory, '..'),
      shipments: crossing,
      present: [],
    },
  ]
  const files: PackFile[] = shipments
    .filter(({ metadata }) => carried.includes(metadata.sequence_number))
    .flatMap(({ metadata }) =>
      metadata.files.map((file) => ({ chain: chain.name, shipment: metadata.name, ...file })),
    )
  const metadata = await Promise.all(
    crossing.map((one, index) =>
      metadataFiles(shipments[index]!.directory, { chain: chain.name, shipment: one.name, ...one }),
    ),
  )
  const listed = metadata.flat().map((file) => {
    const { bytes: _, ...about } = file
    return about
  })
  const volumes = packVolumes(files, media, { site: 'plant-7', chains, metadata: listed })
  const set = createHash('sha256')
    .update(JSON.stringify([crossing, volumes]))
    .digest('hex')
  return {
    apiVersion: 'carryall/v1',
    kind: 'TransferPlan',
    set: `sha256:${set}`,
    site: 'plant-7',
    basis: { mode: 'nothing', receipts: [] },
    chains,
    alternatives: [],
    media: [...media],
    volumes,
    totals: {
      shipments: carried.length,
      files: files.length,
      size_bytes: files.reduce((sum, file) => sum + file.size_bytes, 0),
      volumes: volumes.length,
    },
  }
}
