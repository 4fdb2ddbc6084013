import * as z from 'zod'
import { bytesSchema, digestSchema } from './descriptor.ts'
import { API_VERSION, defineKind } from './kind.ts'
import { shipmentFields } from './shipment.ts'

/** What became of one image at the destination. */
export const pushedImageSchema = z.object({
  reference: z.string().describe('Where it is, or was to be'),
  digest: digestSchema,
  outcome: z.enum(['same', 'pushed', 'moved', 'conflict', 'failed']),
  previous_digest: digestSchema.optional().describe('What the tag held before: moved, or in conflict'),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
})

/** What `seq-push` did, or with `--dry-run` would do. */
export const pushReportKind = defineKind({
  kind: 'PushReport',
  writtenBy: 'tools',
  apiVersions: [API_VERSION],
  schema: z.object({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal('PushReport'),
    destination: z.string(),
    chain: shipmentFields.chain.optional().describe('Absent for archives that were not written by mirror-seq'),
    sequences: z.array(z.object({ sequence_number: z.int(), name: z.string(), metadata_digest: digestSchema })),
    totals: z.object({
      images: z.int(),
      same: z.int(),
      pushed: z.int(),
      moved: z.int(),
      conflicts: z.int(),
      failed: z.int(),
      blobs_present: z.int(),
      blobs_mounted: z.int(),
      blobs_uploaded: z.int(),
      uploaded_bytes: bytesSchema,
    }),
    images: z.array(pushedImageSchema),
  }),
})

export type PushReport = z.infer<typeof pushReportKind.schema>
export type PushedImage = z.infer<typeof pushedImageSchema>
