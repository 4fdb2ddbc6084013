import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { CarryallError, fromSystemError } from '@carryall/errors'
import type { Volume } from '@carryall/schemas'
import { byByte, parseSums, readSmall, SIGNATURE, SUMS_FILE } from '@carryall/shipment'
import { storedPath } from './volume-layout.ts'

/** A small file of a shipment, as it goes on every volume. */
export type MetadataFile = Volume['metadata'][number] & { readonly bytes: Buffer }

export interface ShipmentIdentity {
  /** Name of the chain. */
  readonly chain: string
  /** Name of the shipment. */
  readonly shipment: string
  readonly metadata_file: string
  readonly metadata_digest: string
}

/**
 * The files of a shipment that go on every volume: its metadata, `SHA256SUMS` and the signatures. Proves that the metadata
 * is that of the plan and that the sums speak of it. Throws INPUT_NOT_FOUND, DIGEST_MISMATCH, INDEX_MISMATCH.
 */
export async function metadataFiles(
  directory: string,
  about: ShipmentIdentity,
): Promise<readonly MetadataFile[]> {
  const names = await readdir(directory).catch((error: unknown) => {
    throw fromSystemError(error, `open ${directory}`, { subject: { kind: 'shipment', name: about.shipment } })
  })
  const signatures = names.filter((name) => SIGNATURE.test(name)).sort(byByte)
  const files: MetadataFile[] = []
  for (const path of [about.metadata_file, SUMS_FILE, ...signatures]) {
    const bytes = await readSmall(join(directory, path))
    const { chain, shipment } = about
    const stored = storedPath({ chain, shipment, path, sha256: '' })
    files.push({ chain, shipment, path, size_bytes: bytes.length, stored, bytes })
  }
  prove(directory, about, files[0]!.bytes, files[1]!.bytes)
  return files
}

function prove(directory: string, about: ShipmentIdentity, metadata: Buffer, sums: Buffer): void {
  const digest = createHash('sha256').update(metadata).digest('hex')
  const file = join(directory, about.metadata_file)
  const subject = { kind: 'shipment', name: about.shipment } as const
  if (`sha256:${digest}` !== about.metadata_digest) {
    throw new CarryallError('DIGEST_MISMATCH', `${file} is not the metadata that was planned`, {
      subject,
      expected: about.metadata_digest,
      actual: `sha256:${digest}`,
      hint: 'Plan again, or name the content directory that the plan was made from',
    })
  }
  const listed = parseSums(sums.toString('utf8'), join(directory, SUMS_FILE)).get(about.metadata_file)
  if (listed === digest) return
  throw new CarryallError(
    'INDEX_MISMATCH',
    `${SUMS_FILE} in ${directory} does not have the sum of its metadata`,
    {
      subject,
      expected: digest,
      actual: listed ?? 'absent',
      hint: `See what is wrong with it: seq-meta verify ${directory}`,
    },
  )
}
