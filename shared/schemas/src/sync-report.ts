import * as z from 'zod'
import { bytesSchema, countSchema } from './descriptor.ts'
import { API_VERSION, critical, defineKind, documentHead } from './kind.ts'
import { digestSchema, tagSchema } from './name-schemas.ts'
import { timeSchema, toolSchema } from './shipment.ts'
import { syncErrorSchema, syncSideSchema, syncStateSchema } from './sync-plan.ts'

/** What became of an image. */
export const syncOutcomeSchema = z
  .enum(['same', 'copied', 'moved', 'conflict', 'deleted', 'kept', 'failed', 'not_tried'])
  .describe(
    'same: was there; conflict: the tag differs and stays; kept: extra, and left; not_tried: the run ended before, or the registry was given up',
  )

/** How an image was read back. */
export const verifiedSchema = z
  .enum(['tag', 'deep', 'sample'])
  .describe('How it was read back: by tag; every child and blob asked for; every blob pulled and hashed')

const image = () =>
  z.object({
    source: syncSideSchema.optional().describe('Absent for what is extra'),
    destination: syncSideSchema.describe('Where it is, or was to be'),
    digest: digestSchema.optional().describe('At the source'),
    state: syncStateSchema.describe('As it was planned'),
    outcome: syncOutcomeSchema.optional().describe('Absent with --check'),
    verified: verifiedSchema.optional(),
    previous_digest: digestSchema.optional().describe('What the tag named before: moved, deleted, conflict'),
    backup_tag: tagSchema.optional().describe('Names what a moved tag named'),
    bytes: bytesSchema.optional().describe('That were sent for it'),
    seconds: z.number().min(0).optional().describe('That it took'),
    error: syncErrorSchema.optional().describe('Why it failed'),
  })

/** What `reg-sync` did, or how far the destination is from the source. */
export const syncReportKind = defineKind({
  kind: 'SyncReport',
  writtenBy: 'tools',
  apiVersions: [API_VERSION],
  schema: () =>
    z
      .object({
        ...documentHead('SyncReport'),
        critical,
        mode: z.enum(['sync', 'check']).describe('check: nothing was written'),
        time: timeSchema.describe('When it began; RFC 3339, UTC'),
        seconds: z.number().min(0).describe('That it took'),
        tool: toolSchema,
        plan_digest: digestSchema.describe('Of the plan; the same for all shards of one plan'),
        shards: z
          .array(
            z.object({
              index: z.int().min(1).describe('From 1'),
              count: z.int().min(1).describe('How many there are'),
            }),
          )
          .optional()
          .describe('Parts of the plan that this covers; all of it if absent'),
        pairs: z
          .array(
            z.object({
              source: z.string().describe('As it was given'),
              destination: z.string().describe('As it was given'),
              error: syncErrorSchema.optional().describe('Why it could not be compared'),
            }),
          )
          .describe('What was compared'),
        readiness: z
          .object({
            ready: z.boolean().describe('Every image of the source is at the destination, with its digest'),
            images: countSchema.describe('Of the source'),
            in_sync: countSchema.describe('At the destination with the same digest'),
            missing: countSchema.describe('Not at the destination'),
            diverged: countSchema.describe('At the destination with another digest'),
            extra: countSchema.describe('At the destination only'),
            unreadable: countSchema.describe('Could not be told'),
            newest: z
              .object({
                image: z.string().describe('The newest tag of the source that is not at the destination'),
                created: timeSchema.describe('When it was made'),
              })
              .optional()
              .describe('Absent where all are there, or the API tells no times'),
            lag_seconds: z
              .number()
              .min(0)
              .optional()
              .describe(
                'How long the oldest tag that is not at the destination has been waiting; 0 where all are there',
              ),
          })
          .describe('How the destination stands at the end of the run'),
        totals: z
          .object({
            repositories: countSchema.describe('Of the source'),
            same: countSchema.describe('Were there'),
            copied: countSchema.describe('New there'),
            moved: countSchema.describe('Tags that were overwritten'),
            conflicts: countSchema.describe('Tags that differ and stay'),
            deleted: countSchema.describe('Tags that were deleted'),
            failed: countSchema.describe('Could not be copied'),
            not_tried: countSchema.describe('The run ended before'),
            success_rate: z
              .number()
              .min(0)
              .max(100)
              .describe('Percent of the images of the source that are as they should be'),
            blobs_present: countSchema.describe('Were there'),
            blobs_mounted: countSchema.describe('Taken from another repository there'),
            blobs_uploaded: countSchema.describe('Were sent'),
            uploaded_bytes: bytesSchema.describe('Bytes that were sent'),
            verified: countSchema.describe('Images that were read back'),
          })
          .describe('Sums'),
        journal: z.string().optional().describe('File of the journal'),
        images: z.array(image()).describe('Every image'),
      })
      .describe('What `reg-sync` did, or how far the destination is from the source.'),
})

export type SyncReport = z.infer<typeof syncReportKind.schema>
export type SyncedImage = SyncReport['images'][number]
export type SyncOutcome = z.infer<typeof syncOutcomeSchema>
