import * as z from 'zod'
import { bytesSchema } from './descriptor.ts'
import { API_VERSION, critical, defineKind, documentHead } from './kind.ts'
import { digestSchema } from './name-schemas.ts'
import { timeSchema, toolSchema } from './shipment.ts'
import { syncErrorSchema, syncSideSchema } from './sync-plan.ts'
import { syncOutcomeSchema, verifiedSchema } from './sync-report.ts'

/** A line of the journal of a run. */
export const syncEventKind = defineKind({
  kind: 'SyncEvent',
  writtenBy: 'tools',
  apiVersions: [API_VERSION],
  schema: () =>
    z
      .object({
        ...documentHead('SyncEvent'),
        critical,
        previous: digestSchema
          .optional()
          .describe('Digest of the line before, with its newline; absent in the first'),
        time: timeSchema.describe('When it was written; RFC 3339, UTC'),
        event: z.enum(['begin', 'image', 'end']).describe('begin and end of a run; image: one is done'),
        plan_digest: digestSchema.optional().describe('begin: of the plan'),
        tool: toolSchema.optional().describe('begin: what ran'),
        source: syncSideSchema.optional().describe('image: which'),
        destination: syncSideSchema.optional().describe('image: which'),
        digest: digestSchema.optional().describe('image: at the source'),
        outcome: syncOutcomeSchema.optional().describe('image: which'),
        verified: verifiedSchema.optional(),
        previous_digest: digestSchema.optional().describe('image: what the tag named before'),
        bytes: bytesSchema.optional().describe('image: that were sent for it'),
        milliseconds: z.int().min(0).optional().describe('image: that it took'),
        exit: z.int().min(0).optional().describe('end: exit code of the run'),
        error: syncErrorSchema.optional().describe('image: which'),
      })
      .describe('A line of the journal of a run of `reg-sync`.'),
})

export type SyncEvent = z.infer<typeof syncEventKind.schema>
