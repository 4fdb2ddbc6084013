import * as z from 'zod'
import { API_VERSION, critical, defineKind, documentHead } from './kind.ts'
import { shipmentFields, timeSchema } from './shipment.ts'
import { linkFields } from './transfer-plan.ts'

/** What a site remembers of a chain. */
export const chainStateKind = defineKind({
  kind: 'ChainState',
  writtenBy: 'tools',
  apiVersions: [API_VERSION],
  schema: () =>
    z
      .object({
        ...documentHead('ChainState'),
        critical,
        chain: shipmentFields.chain,
        mark: z
          .object(linkFields())
          .optional()
          .describe('High-water mark: the newest that was ever accepted'),
        landed: z
          .object(linkFields())
          .optional()
          .describe('The newest that was published in the content directory'),
        pending: z.object(linkFields()).optional().describe('About to be published; settled by the next run'),
        signed: z.boolean().describe('The chain has landed signed: unsigned is refused from then on'),
        digests: z
          .array(z.object(linkFields()))
          .describe('Every shipment that was accepted, by number: a second history is seen at once'),
        last_seen: timeSchema.describe('Latest time at which it was written; RFC 3339, UTC'),
      })
      .describe('What a site remembers of a chain, in its state directory.'),
})

export type ChainState = z.infer<typeof chainStateKind.schema>
