import * as z from 'zod'
import { bytesSchema } from './descriptor.ts'
import { API_VERSION, defineKind } from './kind.ts'
import { shipmentFields } from './shipment.ts'

const { apiVersion, critical, chain, sequence_number, name, timestamp, previous, complete, dependencies, site, expires, tool, files } =
  shipmentFields

const humanSize = z.string().describe('For people: powers of 1000, as in 5.5G')

/** `seq-metadata.yaml`: one sequence of an image set. The order of the keys here is the order in the file. */
export const sequenceKind = defineKind({
  kind: 'Sequence',
  writtenBy: 'tools',
  apiVersions: [API_VERSION],
  schema: z.object({
    apiVersion,
    kind: z.literal('Sequence'),
    critical,
    chain,
    sequence_number,
    name,
    description: z.string(),
    timestamp,
    content_type: z.enum(['baseline', 'differential']).describe('baseline: complete in itself; computed'),
    previous,
    complete,
    dependencies,
    site,
    expires,
    tool,
    config_file: z.string(),
    config_source: z.string().describe('File name of the configuration as it was given'),
    images: z.int().min(0),
    blobs: z.object({
      needed: z.int().min(0),
      held: z.int().min(0),
      borrowed: z.int().min(0),
      needed_bytes: bytesSchema,
      held_bytes: bytesSchema,
      borrowed_bytes: bytesSchema,
    }),
    archives: z.array(z.object({ name: z.string(), size: humanSize, size_bytes: bytesSchema })),
    air_gapped_transfer: z.object({
      complete: z.boolean(),
      dependencies: z.array(z.string()).describe('Names of the sequences that have to be there'),
      transfer_size: humanSize.optional().describe('Of a baseline'),
      transfer_size_bytes: bytesSchema.optional(),
      differential_size: humanSize.optional().describe('Of a differential'),
      differential_size_bytes: bytesSchema.optional(),
      cumulative_size: humanSize.describe('All sequences of the chain so far'),
      cumulative_size_bytes: bytesSchema,
    }),
    files,
  }),
})

export type Sequence = z.infer<typeof sequenceKind.schema>
