import { join } from 'node:path'
import type { Context, Outcome } from '@carryall/cli'
import { CarryallError } from '@carryall/errors'
import { humanSize, readDocuments, type SequenceDiff } from '@carryall/schemas'
import { loadSequence, type LoadedSequence } from '@carryall/sequence'
import { readSmall } from '@carryall/shipment'
import { compareSequences, type Side } from './compare-sequences.ts'
import { shipments } from './operands.ts'

/** `seq-meta diff FROM TO`. */
export async function diff(context: Context, operands: readonly string[]): Promise<Outcome> {
  const [from, to] = [await side(context, operands[0]!), await side(context, operands[1]!)]
  const document = compareSequences(from, to)
  return { items: [{ document, result: { ok: true, changed: false } }], table: () => table(document) }
}

async function side(context: Context, operand: string): Promise<Side> {
  const found = await shipments(context, [operand])
  if (found.length !== 1) {
    throw new CarryallError('USAGE_BAD_VALUE', `${operand} holds ${found.length} shipments; one is wanted`, {
      hint: 'Name one sequence, such as content/seq1-baseline',
    })
  }
  const sequence = await loadSequence(found[0]!)
  return { sequence, configuration: await configurationOf(sequence) }
}

async function configurationOf({ shipment, metadata }: LoadedSequence): Promise<unknown> {
  const file = join(shipment.directory, metadata.config_file)
  return readDocuments(await readSmall(file), file)[0]
}

function table(document: SequenceDiff): { columns: string[]; rows: (string | number)[][]; notes: string[] } {
  const { images, blobs, versions, configuration } = document
  const name = (image: { repository: string; tag?: string | undefined; digest: string }): string =>
    `${image.repository}${image.tag === undefined ? ' (attached)' : `:${image.tag}`}`
  return {
    columns: ['CHANGE', 'IMAGE', 'DIGEST'],
    rows: [
      ...images.added.map((image) => ['added', name(image), image.digest]),
      ...images.removed.map((image) => ['removed', name(image), image.digest]),
      ...images.moved.map((image) => [
        'moved',
        `${image.repository}:${image.tag}`,
        `${image.from} -> ${image.to}`,
      ]),
    ],
    notes: [
      `${images.unchanged} images unchanged; ${blobs.added} blobs new (${humanSize(blobs.added_bytes)}), ${blobs.removed} no longer needed (${humanSize(blobs.removed_bytes)})`,
      ...versions.map(
        (version) =>
          `${version.repository}: ${version.from.join(' ') || 'none'} -> ${version.to.join(' ') || 'none'}`,
      ),
      ...configuration.map(
        (change) =>
          `configuration ${change.pointer}: ${JSON.stringify(change.from) ?? 'absent'} -> ${JSON.stringify(change.to) ?? 'absent'}`,
      ),
    ],
  }
}
