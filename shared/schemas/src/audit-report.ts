import * as z from 'zod'
import { countSchema } from './descriptor.ts'
import { API_VERSION, critical, defineKind, documentHead } from './kind.ts'
import { digestSchema } from './name-schemas.ts'
import { timeSchema } from './shipment.ts'

const counted = () =>
  z.array(z.object({ name: z.string().describe('Which one'), entries: countSchema.describe('How many') }))

/** What `seq-meta audit` found. */
export const auditReportKind = defineKind({
  kind: 'AuditReport',
  writtenBy: 'tools',
  apiVersions: [API_VERSION],
  schema: () =>
    z
      .object({
        ...documentHead('AuditReport'),
        critical,
        log: z.string().describe('File that was read'),
        entries: countSchema.describe('Lines'),
        first: timeSchema.optional().describe('Time of the first line'),
        last: timeSchema.optional().describe('Time of the last line'),
        head: digestSchema.optional().describe('Digest of the last line'),
        intact: z.boolean().describe('Every line is an entry and continues the one before it'),
        cut_bytes: z
          .int()
          .min(1)
          .optional()
          .describe('Bytes of a last line that was cut while it was written; the next entry drops them'),
        expected_head: z
          .enum(['found', 'absent'])
          .optional()
          .describe('Whether a head that was asked for is in it'),
        faults: z
          .array(
            z.object({
              line: z.int().min(1).describe('From 1'),
              code: z.string().describe('Error code'),
              message: z.string().describe('For people'),
            }),
          )
          .describe('Where it is broken (AUDIT_BROKEN), or time goes back (SEQ_CLOCK); at most 1000'),
        actions: counted().describe('Entries by action'),
        users: counted().describe('Entries by user'),
        outcomes: counted().describe('Entries by outcome'),
        overrides: z
          .array(
            z.object({
              line: z.int().min(1).describe('From 1'),
              time: timeSchema,
              user: z.string().describe('Who did it'),
              action: z.string().describe('What was done'),
              flags: z.array(z.string()).describe('Flags that weakened a check'),
            }),
          )
          .describe('Every time that a check was weakened'),
      })
      .describe('What `seq-meta audit` found in an audit log.'),
})

export type AuditReport = z.infer<typeof auditReportKind.schema>
