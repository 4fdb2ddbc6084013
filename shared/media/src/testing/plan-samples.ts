import type { FileSystemName, Medium } from '@carryall/schemas'
import { fileSystem } from '../file-system.ts'
import type { VolumeFrame } from '../text-bytes.ts'

/** A medium where a volume may take this much. */
export function mediumOf(filesystem: FileSystemName, capacity_bytes: number | undefined): Medium {
  const bytes = capacity_bytes ?? 2 ** 40
  return {
    name: 'sample',
    ...(capacity_bytes === undefined ? {} : { capacity_bytes }),
    filesystem,
    cluster_bytes: fileSystem(filesystem).clusterBytes(bytes),
  }
}

/** A chain of one shipment, with its metadata. */
export function frame(): VolumeFrame {
  const metadata_digest = `sha256:${'e'.repeat(64)}`
  const names = { chain: 'edge', shipment: 'seq1' }
  return {
    site: 'plant-7',
    chains: [
      {
        id: '00000000-0000-4000-8000-000000000001',
        name: 'edge',
        target: { sequence_number: 1, metadata_digest, name: 'seq1' },
        directory: '/srv/content',
        shipments: [
          {
            ...{ sequence_number: 1, metadata_digest, name: 'seq1', metadata_file: 'seq-metadata.yaml' },
            ...{ carried: true, size_bytes: 5000, reason: 'target' },
          },
        ],
        present: [],
      },
    ],
    metadata: ['seq-metadata.yaml', 'SHA256SUMS'].map((path) => ({
      ...names,
      path,
      size_bytes: 5000,
      stored: `edge/seq1/${path}`,
    })),
  }
}
