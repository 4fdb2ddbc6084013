import { join } from 'node:path'
import { verifyArchive } from '@carryall/archive'
import type { Fault, HeldBlob } from '@carryall/schemas'
import { checkFiles, digestOf } from '@carryall/shipment'
import { blobEntry, describedLayout, linkEntries } from './archive-layout.ts'
import type { LoadedSequence } from './read-sequence.ts'

export interface VerifyOptions {
  readonly mode: 'fast' | 'full'
  readonly signal?: AbortSignal
  readonly onBytes?: (count: number) => void
}

/**
 * Checks a sequence by itself: the files against metadata and sums, the indexes against each other, and with `full`
 * every byte of the archives: each blob against its digest, the framing against the index, each file against its sum, in
 * one pass. Faults are collected, never thrown; chain and closure are judged elsewhere.
 */
export async function verifySequence(
  sequence: LoadedSequence,
  options: VerifyOptions,
): Promise<{ faults: readonly Fault[]; files: number; blobs: number; bytes: number }> {
  const { shipment, metadata, images, blobs } = sequence
  const archives = new Set(metadata.archives.map((archive) => archive.name))
  const held = blobs.filter((blob): blob is HeldBlob => 'archive' in blob)
  const base = await checkFiles(shipment, { ...options, except: archives })
  const faults = [...base.faults, ...indexFaults(sequence, held)]
  let bytes = base.bytes
  if (options.mode === 'full') {
    const unusable = new Set(base.faults.map((fault) => fault.path))
    const links = linkEntries(images)
    const digests = new Map([
      ...held.map((blob) => [blobEntry(blob.digest), blob.digest] as const),
      ...[...links].map(([name, digest]) => [name, digestOf(digest)] as const),
    ])
    for (const plan of describedLayout(images, held, metadata.archives)) {
      if (unusable.has(plan.name)) continue
      const result = await verifyArchive(join(shipment.directory, plan.name), plan, digests, options)
      bytes += plan.size
      faults.push(
        ...result.faults.map(({ name, code, offset, expected, actual }) => ({
          code,
          message: `${plan.name}: ${name} is damaged at offset ${offset}`,
          path: plan.name,
          entry: name,
          offset,
          ...(expected === undefined ? {} : { expected }),
          ...(actual === undefined ? {} : { actual }),
        })),
      )
      const wanted = metadata.files.find((file) => file.path === plan.name)?.sha256
      const actual = result.sha256.replace(/^sha256:/, '')
      if (wanted !== actual) {
        faults.push({
          code: 'DIGEST_MISMATCH',
          message: `${plan.name} has other bytes`,
          path: plan.name,
          expected: wanted ?? 'no sum',
          actual,
        })
      }
    }
  }
  return { faults, files: base.files, blobs: held.length, bytes }
}

/** The offsets have to be those of the framing, every image's content has to be in the index, and totals have to add up. */
function indexFaults({ metadata, images, blobs }: LoadedSequence, held: readonly HeldBlob[]): Fault[] {
  const faults: Fault[] = []
  const known = new Map(blobs.map((blob) => [blob.digest, blob]))
  for (const image of images) {
    const lost = [...image.manifests, ...image.blobs].find((digest) => !known.has(digest))
    if (lost !== undefined)
      faults.push(
        fault(
          'images.ndjson',
          `${image.repository}:${image.tag ?? image.digest} needs ${lost}, which is not in blobs.ndjson`,
        ),
      )
  }
  const names = new Set(metadata.archives.map((archive) => archive.name))
  const offsets = new Map(
    describedLayout(images, held, metadata.archives).flatMap((plan) =>
      plan.entries.map((entry) => [`${plan.name}/${entry.name}`, entry.offset]),
    ),
  )
  for (const blob of held) {
    if (!names.has(blob.archive))
      faults.push(
        fault('blobs.ndjson', `${blob.digest} is in ${blob.archive}, which the metadata does not name`),
      )
    else if (offsets.get(`${blob.archive}/${blobEntry(blob.digest)}`) !== blob.offset)
      faults.push(
        fault('blobs.ndjson', `${blob.digest} cannot be at offset ${blob.offset} of ${blob.archive}`),
      )
  }
  const borrowed = blobs.filter((blob) => 'sequence' in blob)
  if (metadata.complete !== (borrowed.length === 0))
    faults.push(
      fault(
        'seq-metadata.yaml',
        `complete is ${metadata.complete}, but ${borrowed.length} blobs are borrowed`,
      ),
    )
  const lenders = [...new Set(borrowed.map((blob) => blob.sequence))].sort((a, b) => a - b).join()
  if (lenders !== metadata.dependencies.map((dependency) => dependency.sequence_number).join()) {
    faults.push(
      fault(
        'seq-metadata.yaml',
        `the dependencies are not the sequences that blobs.ndjson borrows from (${lenders || 'none'})`,
      ),
    )
  }
  return faults
}

function fault(path: string, message: string): Fault {
  return { code: 'INDEX_MISMATCH', message, path }
}
