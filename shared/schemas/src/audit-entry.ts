import * as z from 'zod'
import { API_VERSION, critical, defineKind, documentHead } from './kind.ts'
import { digestSchema } from './name-schemas.ts'
import { timeSchema, toolSchema } from './shipment.ts'

/** A line of the audit log. */
export const auditEntryKind = defineKind({
  kind: 'AuditEntry',
  writtenBy: 'tools',
  apiVersions: [API_VERSION],
  schema: () =>
    z
      .object({
        ...documentHead('AuditEntry'),
        critical,
        previous: digestSchema
          .optional()
          .describe('Digest of the line before, with its newline; absent in the first'),
        time: timeSchema,
        tool: toolSchema,
        user: z
          .object({
            uid: z.int().describe('Who the process ran as'),
            name: z.string().optional().describe('The name of that user'),
            login: z.string().optional().describe('Who logged in, also behind sudo'),
          })
          .describe('Who did it'),
        action: z.string().describe('land, push, accept-state-reset …'),
        target: z.string().describe('What was written to: a directory, a registry'),
        subject: z
          .object({
            kind: z.string().describe('Kind of the document'),
            name: z.string().describe('Its name'),
            digest: digestSchema.optional(),
          })
          .optional()
          .describe('From which document'),
        outcome: z.enum(['done', 'failed', 'refused']).describe('How it ended'),
        code: z.string().optional().describe('Error code, where it did not end well'),
        overrides: z.array(z.string()).describe('Flags given that weaken a check or overwrite'),
        note: z.string().optional().describe('More, for people'),
      })
      .describe('A line of the audit log: who did what, when, from which document.'),
})

export type AuditEntry = z.infer<typeof auditEntryKind.schema>
