import * as z from 'zod'
import { bytesSchema, countSchema } from './descriptor.ts'
import { API_VERSION, critical, defineKind, documentHead } from './kind.ts'
import { digestSchema } from './name-schemas.ts'
import { dependencySchema, shipmentFields } from './shipment.ts'

/** What became of one image at the destination. */
const pushedImage = () =>
  z.object({
    reference: z.string().describe('Where it is, or was to be'),
    digest: digestSchema,
    outcome: z
      .enum(['same', 'pushed', 'moved', 'conflict', 'failed'])
      .describe(
        'same: was there; moved: the tag named an earlier image of this chain; conflict: it names another',
      ),
    previous_digest: digestSchema.optional().describe('What the tag held before: moved, or in conflict'),
    error: z
      .object({ code: z.string().describe('Error code'), message: z.string().describe('For people') })
      .optional()
      .describe('Why it failed'),
  })

/** What `seq-push` did, or with `--dry-run` would do. */
export const pushReportKind = defineKind({
  kind: 'PushReport',
  writtenBy: 'tools',
  apiVersions: [API_VERSION],
  schema: () =>
    z
      .object({
        ...documentHead('PushReport'),
        critical,
        destination: z.string().describe('As it was given'),
        chain: shipmentFields.chain
          .optional()
          .describe('Absent for archives that were not written by mirror-seq'),
        sequences: z.array(dependencySchema).describe('Sequences that were pushed'),
        totals: z
          .object({
            images: countSchema.describe('All images'),
            same: countSchema.describe('Images that were there'),
            pushed: countSchema.describe('Images that are new there'),
            moved: countSchema.describe('Tags that moved to another digest'),
            conflicts: countSchema.describe('Tags that name something else and were left'),
            failed: countSchema.describe('Images that could not be pushed'),
            blobs_present: countSchema.describe('Blobs that were there'),
            blobs_mounted: countSchema.describe('Blobs taken from another repository there'),
            blobs_uploaded: countSchema.describe('Blobs that were sent'),
            uploaded_bytes: bytesSchema.describe('Bytes that were sent'),
          })
          .describe('Sums'),
        images: z.array(pushedImage()).describe('Outcome of every image'),
      })
      .describe('What `seq-push` did, or with `--dry-run` would do.'),
})

export type PushReport = z.infer<typeof pushReportKind.schema>
export type PushedImage = PushReport['images'][number]
