import * as z from 'zod'
import { bytesSchema } from './descriptor.ts'
import { API_VERSION, critical, defineKind, documentHead } from './kind.ts'
import { digestSchema } from './name-schemas.ts'
import { sequenceNumberSchema, shipmentFields, timeSchema, toolSchema } from './shipment.ts'

const link = () => ({
  sequence_number: sequenceNumberSchema,
  metadata_digest: digestSchema.describe('Digest of its metadata file'),
})

/** What a site holds of each chain, for the other side to plan the next trip by. Digests and numbers, no inventory. */
export const receiptKind = defineKind({
  kind: 'Receipt',
  writtenBy: 'tools',
  apiVersions: [API_VERSION],
  schema: () =>
    z
      .object({
        ...documentHead('Receipt'),
        critical,
        site: z.string().describe('Name of the site'),
        holds: z
          .enum(['files', 'registry', 'repositories', 'deployments'])
          .describe('In what form the site holds it'),
        chains: z
          .array(
            z.object({
              id: shipmentFields.chain.shape.id,
              name: shipmentFields.chain.shape.name,
              head: z.object(link()).describe('Newest shipment that the site knows'),
              shipments: z
                .array(
                  z.object({
                    ...link(),
                    state: z.enum(['complete', 'partial']).describe('Whether all of it is there'),
                    missing_bytes: bytesSchema.describe('0 where complete'),
                  }),
                )
                .describe('Shipments that the site holds'),
            }),
          )
          .describe('Chains that the site knows'),
        audit_head: digestSchema.optional().describe("Newest entry of the site's audit log"),
        time: timeSchema.describe('When this was written; RFC 3339, UTC'),
        tool: toolSchema,
      })
      .describe('What a site holds, sent back to the connected side: digests and numbers, no inventory.'),
})

export type Receipt = z.infer<typeof receiptKind.schema>
