import * as z from 'zod'
import { bytesSchema, countSchema } from './descriptor.ts'
import { blobLineSchema, imageLineSchema } from './index-lines.ts'
import { API_VERSION, defineKind, documentHead } from './kind.ts'
import { digestSchema, fileNameSchema } from './name-schemas.ts'
import { shipmentFields } from './shipment.ts'

const { critical, chain, sequence_number, name, timestamp, previous, dependencies, site, expires } =
  shipmentFields

/** What a run of `mirror-seq` is going to do: `--dry-run` prints it, staging keeps it until the sequence is published. */
export const mirrorPlanKind = defineKind({
  kind: 'MirrorPlan',
  writtenBy: 'tools',
  apiVersions: [API_VERSION],
  schema: () =>
    z
      .object({
        ...documentHead('MirrorPlan'),
        critical,
        chain,
        sequence_number,
        name,
        description: z.string().describe('`baseline`, the time, or what the operator gave'),
        timestamp,
        previous,
        site,
        expires,
        config_digest: digestSchema.describe("Digest of the configuration's bytes"),
        config_source: z.string().describe('File name of the configuration as it was given'),
        options_digest: digestSchema.describe('Of the options that change the content'),
        dependencies,
        totals: z
          .object({
            images: countSchema.describe('Images, with what is attached to them'),
            blobs: countSchema.describe('Blobs that the images need'),
            new_blobs: countSchema.describe('To be fetched'),
            new_bytes: bytesSchema.describe('To be fetched'),
            carried_bytes: bytesSchema.describe('In earlier sequences already'),
            archive_bytes: bytesSchema.describe('The archives as they are going to be'),
          })
          .describe('Sums'),
        skipped: z
          .array(
            z.object({
              image: z.string().describe('Image that has it'),
              digest: digestSchema,
              size: bytesSchema,
              why: z.string().describe('Reason'),
            }),
          )
          .describe('Foreign layers, which stay where their licence keeps them'),
        blocked: z.array(z.string()).describe('Images that blockedImages took out'),
        archives: z
          .array(z.object({ name: fileNameSchema, size_bytes: bytesSchema }))
          .describe('Archives to be written'),
        images: z.array(imageLineSchema).describe('Every image, pinned'),
        blobs: z.array(blobLineSchema).describe('Every blob that the images need, held or borrowed'),
        sources: z
          .record(
            z.string(),
            z.object({
              source: z.string().describe('Registry or OCI layout'),
              repository: z.string().describe('Repository there'),
            }),
          )
          .describe('Where each new blob is fetched from, by digest'),
      })
      .describe('What a run of `mirror-seq` is going to do: `--dry-run` prints it.'),
})

export type MirrorPlan = z.infer<typeof mirrorPlanKind.schema>
