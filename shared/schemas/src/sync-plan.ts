import * as z from 'zod'
import { bytesSchema, countSchema } from './descriptor.ts'
import { registrySchema } from './image.ts'
import { API_VERSION, critical, defineKind, documentHead } from './kind.ts'
import { registryApiSchema } from './listing.ts'
import { digestSchema, repositorySchema, tagSchema } from './name-schemas.ts'
import { timeSchema, toolSchema } from './shipment.ts'

/** How an image of the source is found at the destination. */
export const syncStateSchema = z
  .enum(['missing', 'same', 'diverged', 'extra', 'unreadable'])
  .describe(
    'missing: not there; same: the same digest; diverged: the tag names another digest; extra: not at the source; unreadable: could not be told',
  )

export const syncErrorSchema = z
  .object({
    code: z.string().describe('Error code'),
    message: z.string().describe('For people'),
    hint: z.string().optional().describe('What to do next'),
  })
  .describe('Why')

/** An end of a copy. */
export const syncSideSchema = z.object({
  registry: registrySchema.describe('Where: `host[:port]`, `oci:DIRECTORY` or `oci-archive:FILE`'),
  repository: repositorySchema.describe('Repository name'),
  tag: tagSchema.optional().describe('Absent for what is named by its digest'),
})

const image = () =>
  z.object({
    source: syncSideSchema.optional().describe('Absent for what is extra'),
    destination: syncSideSchema.describe('Where it is, or is to be'),
    digest: digestSchema
      .optional()
      .describe('At the source; absent where it could not be read, and for what is extra'),
    media_type: z.string().optional().describe('Of the manifest or index'),
    created: timeSchema.optional().describe('When the tag was given this digest, where the API tells it'),
    platforms: z.array(z.string()).optional().describe('Only these of an index; all if absent'),
    attached_to: digestSchema.optional().describe('It is a signature or the like of this'),
    state: syncStateSchema,
    present: digestSchema.optional().describe('What the destination has: diverged, extra'),
    action: z
      .enum(['none', 'copy', 'move', 'delete', 'refuse'])
      .describe('move: overwrite, as a policy says; refuse: it differs and stays'),
    backup_tag: tagSchema.optional().describe('Is given to what a moved tag named'),
    manifests: z
      .array(digestSchema)
      .optional()
      .describe('To be copied: children first, the image itself last'),
    blobs: z
      .array(digestSchema)
      .optional()
      .describe('To be there before the manifests; sizes are in `blobs`'),
    error: syncErrorSchema.optional().describe('Why it is unreadable, or what of it is missing'),
  })

/** What `reg-sync` is going to do. */
export const syncPlanKind = defineKind({
  kind: 'SyncPlan',
  writtenBy: 'tools',
  apiVersions: [API_VERSION],
  schema: () =>
    z
      .object({
        ...documentHead('SyncPlan'),
        critical,
        time: timeSchema,
        tool: toolSchema,
        pairs: z
          .array(
            z.object({
              source: z.string().describe('As it was given'),
              destination: z.string().describe('As it was given'),
              source_api: registryApiSchema.describe('How the source was listed'),
              destination_api: registryApiSchema.describe('How the destination was listed'),
              source_complete: z
                .boolean()
                .describe('Every page of the list was read: what is not in it is not there'),
              destination_complete: z
                .boolean()
                .describe('Every page of the list was read, so that all that is extra is known'),
              platforms: z.array(z.string()).optional().describe('Only these of each index; all if absent'),
              attachments: z.boolean().describe('Signatures and the like go along'),
              error: syncErrorSchema.optional().describe('Why it could not be compared'),
            }),
          )
          .describe('What is kept equal to what'),
        totals: z
          .object({
            repositories: countSchema.describe('Of the source'),
            images: countSchema.describe('Of the source'),
            missing: countSchema.describe('Not at the destination'),
            same: countSchema.describe('There, with the same digest'),
            diverged: countSchema.describe('There, with another digest'),
            extra: countSchema.describe('At the destination only'),
            unreadable: countSchema.describe('Could not be told'),
            copies: countSchema.describe('Images to be copied, or tags to be moved'),
            deletions: countSchema.describe('Tags to be deleted'),
            bytes: bytesSchema.describe('Of all blobs to be copied, each image for itself'),
            unique_bytes: bytesSchema.describe('What has to cross: each blob once'),
            estimated_seconds: z
              .number()
              .min(0)
              .optional()
              .describe('By the rate of the last run, or the limit; absent where there is none'),
          })
          .describe('Sums'),
        blobs: z.record(digestSchema, bytesSchema).describe('Size of each blob to be copied'),
        images: z.array(image()).describe('Every image, by repository and tag'),
      })
      .describe('What `reg-sync` is going to do.'),
})

export type SyncPlan = z.infer<typeof syncPlanKind.schema>
export type PlannedSync = SyncPlan['images'][number]
export type SyncPlanPair = SyncPlan['pairs'][number]
export type SyncSide = z.infer<typeof syncSideSchema>
