import * as z from 'zod'
import { bytesSchema, countSchema } from './descriptor.ts'
import { API_VERSION, defineKind, documentHead } from './kind.ts'
import { fileNameSchema } from './name-schemas.ts'
import { shipmentFields } from './shipment.ts'

const { critical, chain, sequence_number, name, timestamp, previous } = shipmentFields
const { complete, dependencies, site, expires, tool, files } = shipmentFields

const humanSize = () => z.string().describe('For people: powers of 1000, as in `5.5G`')

/** `seq-metadata.yaml`: one sequence of an image set. The order of the keys here is the order in the file. */
export const sequenceKind = defineKind({
  kind: 'Sequence',
  writtenBy: 'tools',
  apiVersions: [API_VERSION],
  schema: () =>
    z
      .object({
        ...documentHead('Sequence'),
        critical,
        chain,
        sequence_number,
        name,
        description: z.string().describe('`baseline`, the time, or what the operator gave'),
        timestamp,
        content_type: z.enum(['baseline', 'differential']).describe('baseline: complete in itself; computed'),
        previous,
        complete,
        dependencies,
        site,
        expires,
        tool,
        config_file: fileNameSchema.describe('The configuration, as a file of the sequence'),
        config_source: z.string().describe('File name of the configuration as it was given'),
        images: countSchema.describe('Images, with what is attached to them'),
        blobs: z
          .object({
            needed: countSchema.describe('All that the images need'),
            held: countSchema.describe('In the archives of this sequence'),
            borrowed: countSchema.describe('In earlier sequences'),
            needed_bytes: bytesSchema,
            held_bytes: bytesSchema,
            borrowed_bytes: bytesSchema,
          })
          .describe('Blobs: manifests, configs and layers, each counted once'),
        archives: z
          .array(z.object({ name: fileNameSchema, size: humanSize(), size_bytes: bytesSchema }))
          .describe('Archives of this sequence'),
        air_gapped_transfer: z
          .object({
            complete: z.boolean().describe('Can be carried alone'),
            dependencies: z.array(z.string()).describe('Names of the sequences that have to be there'),
            transfer_size: humanSize().optional().describe('Of a baseline, for people'),
            transfer_size_bytes: bytesSchema.optional(),
            differential_size: humanSize().optional().describe('Of a differential, for people'),
            differential_size_bytes: bytesSchema.optional(),
            cumulative_size: humanSize().describe('All sequences of the chain so far, for people'),
            cumulative_size_bytes: bytesSchema,
          })
          .describe('What has to cross the gap'),
        files,
      })
      .describe('One sequence of an image set: the file `seq-metadata.yaml`. `mirror-seq` writes it.'),
})

export type Sequence = z.infer<typeof sequenceKind.schema>
