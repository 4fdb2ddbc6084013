import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { commitFile, removeTree } from '@carryall/durable'
import { fromSystemError } from '@carryall/errors'
import { toYaml, type MirrorPlan, type Sequence, type ShipmentFile } from '@carryall/schemas'
import { formatImageIndex, IMAGE_INDEX } from '@carryall/sequence'
import {
  BLOB_INDEX,
  digestOf,
  formatBlobIndex,
  formatSums,
  signatureFile,
  SUMS_FILE,
  type ContentWriter,
  type Shipment,
} from '@carryall/shipment'
import type { Signer } from '@carryall/trust'
import { CONFIG_FILE, describeSequence } from './describe.ts'

const METADATA = 'seq-metadata.yaml'

export interface PublishInput {
  readonly plan: MirrorPlan
  /** The configuration's bytes as given. */
  readonly config: Buffer
  /** sha256 (hex) of each archive. */
  readonly archiveSums: ReadonlyMap<string, string>
  readonly earlierBytes: number
  readonly tool: Sequence['tool']
  /** Whose signature it appears with. */
  readonly signer?: Signer | undefined
}

/**
 * Writes the indexes, the metadata, the sums and the signature beside the archives in `tree`, then publishes all of it by one
 * rename: where a signer is given, nobody sees the sequence without a signature.
 */
export async function publishSequence(
  content: ContentWriter,
  tree: string,
  input: PublishInput,
): Promise<{ shipment: Shipment; metadata: Sequence }> {
  const { plan, config, archiveSums } = input
  const small = new Map<string, Buffer>([
    [CONFIG_FILE, config],
    [IMAGE_INDEX, Buffer.from(formatImageIndex(plan.images))],
    [BLOB_INDEX, Buffer.from(formatBlobIndex(plan.blobs))],
  ])
  const files: ShipmentFile[] = [
    ...plan.archives.map(({ name, size_bytes }) => ({
      path: name,
      size_bytes,
      sha256: archiveSums.get(name)!,
    })),
    ...[...small].map(([path, bytes]) => ({ path, size_bytes: bytes.length, sha256: hex(bytes) })),
  ]
  const metadata = describeSequence(plan, files, input.earlierBytes, input.tool)
  const yaml = Buffer.from(toYaml(metadata))
  const sums = formatSums([...files, { path: METADATA, sha256: hex(yaml) }])
  for (const [name, bytes] of [
    ...small,
    [METADATA, yaml] as const,
    [SUMS_FILE, Buffer.from(sums)] as const,
  ]) {
    await commitFile(join(tree, name), bytes)
  }
  const kept = new Set([...files.map((file) => file.path), METADATA, SUMS_FILE])
  if (input.signer !== undefined) {
    const signature = signatureFile(input.signer.fingerprint)
    await commitFile(join(tree, signature), await input.signer.sign(Buffer.from(sums)))
    kept.add(signature)
  }
  await removeStrays(tree, kept)
  return { shipment: await content.publish(tree, plan.name), metadata }
}

/** A run that was cut leaves temporary files; what the sums do not name is no part of the shipment. */
async function removeStrays(tree: string, named: ReadonlySet<string>): Promise<void> {
  const names = await readdir(tree).catch((error: unknown) =>
    Promise.reject(fromSystemError(error, `read ${tree}`)),
  )
  for (const name of names) if (!named.has(name)) await removeTree(join(tree, name))
}

function hex(bytes: Buffer): string {
  return digestOf(bytes).slice('sha256:'.length)
}
