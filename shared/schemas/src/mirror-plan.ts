import * as z from 'zod'
import { bytesSchema, digestSchema } from './descriptor.ts'
import { blobLineSchema, imageLineSchema } from './index-lines.ts'
import { API_VERSION, defineKind } from './kind.ts'
import { shipmentFields } from './shipment.ts'

const { apiVersion, chain, sequence_number, name, timestamp, previous, dependencies, site, expires } = shipmentFields

/** What a run of `mirror-seq` is going to do: `--dry-run` prints it, staging keeps it until the sequence is published. */
export const mirrorPlanKind = defineKind({
  kind: 'MirrorPlan',
  writtenBy: 'tools',
  apiVersions: [API_VERSION],
  schema: z.object({
    apiVersion,
    kind: z.literal('MirrorPlan'),
    chain,
    sequence_number,
    name,
    description: z.string(),
    timestamp,
    previous,
    site,
    expires,
    config_digest: digestSchema,
    config_source: z.string(),
    options_digest: digestSchema.describe('Of the options that change the content'),
    dependencies,
    totals: z.object({
      images: z.int(),
      blobs: z.int(),
      new_blobs: z.int(),
      new_bytes: bytesSchema.describe('To be fetched'),
      carried_bytes: bytesSchema.describe('In earlier sequences already'),
      archive_bytes: bytesSchema,
    }),
    skipped: z
      .array(z.object({ image: z.string(), digest: digestSchema, size: bytesSchema, why: z.string() }))
      .describe('Foreign layers, which stay where their licence keeps them'),
    blocked: z.array(z.string()).describe('Images that blockedImages took out'),
    archives: z.array(z.object({ name: z.string(), size_bytes: bytesSchema })),
    images: z.array(imageLineSchema),
    blobs: z.array(blobLineSchema),
    sources: z
      .record(z.string(), z.object({ source: z.string(), repository: z.string() }))
      .describe('Where each new blob is fetched from, by digest'),
  }),
})

export type MirrorPlan = z.infer<typeof mirrorPlanKind.schema>
