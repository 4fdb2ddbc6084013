import {
  API_VERSION,
  humanSize,
  type HeldBlob,
  type MirrorPlan,
  type Sequence,
  type ShipmentFile,
} from '@carryall/schemas'
import { byByte } from '@carryall/shipment'

/** Name of the configuration inside a sequence. */
export const CONFIG_FILE = 'imageset-config.yaml'

/**
 * The metadata of the planned sequence, once its files are known. What it says of itself (baseline, complete,
 * dependencies) follows from the plan's blobs. `earlierBytes` is what all earlier sequences' files come to. Pure.
 */
export function describeSequence(
  plan: MirrorPlan,
  files: readonly ShipmentFile[],
  earlierBytes: number,
  tool: Sequence['tool'],
): Sequence {
  const held = plan.blobs.filter((blob): blob is HeldBlob => 'archive' in blob)
  const complete = held.length === plan.blobs.length
  const bytes = files.reduce((sum, file) => sum + file.size_bytes, 0)
  const size = humanSize(bytes)
  const cumulative = earlierBytes + bytes
  return {
    apiVersion: API_VERSION,
    kind: 'Sequence',
    chain: plan.chain,
    sequence_number: plan.sequence_number,
    name: plan.name,
    description: plan.description,
    timestamp: plan.timestamp,
    content_type: complete ? 'baseline' : 'differential',
    ...(plan.previous === undefined ? {} : { previous: plan.previous }),
    complete,
    dependencies: plan.dependencies,
    ...(plan.site === undefined ? {} : { site: plan.site }),
    ...(plan.expires === undefined ? {} : { expires: plan.expires }),
    tool,
    config_file: CONFIG_FILE,
    config_source: plan.config_source,
    images: plan.images.length,
    blobs: {
      needed: plan.blobs.length,
      held: held.length,
      borrowed: plan.blobs.length - held.length,
      needed_bytes: plan.totals.new_bytes + plan.totals.carried_bytes,
      held_bytes: plan.totals.new_bytes,
      borrowed_bytes: plan.totals.carried_bytes,
    },
    archives: plan.archives.map(({ name, size_bytes }) => ({
      name,
      size: humanSize(size_bytes),
      size_bytes,
    })),
    air_gapped_transfer: {
      complete,
      dependencies: plan.dependencies.map((dependency) => dependency.name),
      ...(complete
        ? { transfer_size: size, transfer_size_bytes: bytes }
        : { differential_size: size, differential_size_bytes: bytes }),
      cumulative_size: humanSize(cumulative),
      cumulative_size_bytes: cumulative,
    },
    files: [...files].sort((a, b) => byByte(a.path, b.path)),
  }
}
