import type { Table } from '@carryall/cli'
import { humanSize, type MirrorPlan, type Sequence } from '@carryall/schemas'

/** What a person wants to know of a plan: each image, then the sums. */
export function planTable(plan: MirrorPlan): Table {
  return {
    columns: ['IMAGE', 'DIGEST', 'SIZE'],
    rows: plan.images.map((image) => [
      `${image.repository}${image.tag === undefined ? ' (attached)' : `:${image.tag}`}`,
      image.digest,
      humanSize(image.size_bytes),
    ]),
    notes: [
      `${plan.name}: ${plan.totals.new_blobs} new blobs, ${humanSize(plan.totals.new_bytes)} to fetch; ${humanSize(plan.totals.carried_bytes)} in earlier sequences`,
      ...plan.archives.map((archive) => `${archive.name}  ${humanSize(archive.size_bytes)}`),
      ...(plan.dependencies.length === 0
        ? []
        : [`Needs ${plan.dependencies.map((dependency) => dependency.name).join(', ')}`]),
    ],
  }
}

/** The outcome of a run for people: where it is, how large, what else it needs. */
export function sequenceTable(
  metadata: Sequence,
  result: { readonly changed: boolean; readonly directory: string },
): Table {
  const { air_gapped_transfer: transfer } = metadata
  return {
    columns: ['NAME', 'SIZE', 'TYPE', 'IMAGES', 'NEEDS'],
    rows: [
      [
        metadata.name,
        transfer.transfer_size ?? transfer.differential_size ?? '',
        metadata.content_type,
        metadata.images,
        transfer.dependencies.join(' ') || '-',
      ],
    ],
    notes: [
      result.changed
        ? `Written to ${result.directory}`
        : `Nothing changed: ${result.directory} holds just this`,
      transfer.complete
        ? 'Complete: it can be carried alone'
        : `Differential: the far side needs ${transfer.dependencies.join(', ')} as well`,
    ],
  }
}
