import * as z from 'zod'
import { bytesSchema, digestSchema } from './descriptor.ts'
import { API_VERSION, defineKind } from './kind.ts'
import { shipmentFields } from './shipment.ts'

/** What a site holds of each chain, for the other side to plan the next trip by. Digests and numbers, no inventory. */
export const receiptKind = defineKind({
  kind: 'Receipt',
  writtenBy: 'tools',
  apiVersions: [API_VERSION],
  schema: z.object({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal('Receipt'),
    critical: shipmentFields.critical,
    site: z.string(),
    holds: z.enum(['files', 'registry', 'repositories', 'deployments']),
    chains: z.array(
      z.object({
        id: shipmentFields.chain.shape.id,
        name: shipmentFields.chain.shape.name,
        head: z.object({ sequence_number: z.int().min(1), metadata_digest: digestSchema }),
        shipments: z.array(
          z.object({
            sequence_number: z.int().min(1),
            metadata_digest: digestSchema,
            state: z.enum(['complete', 'partial']),
            missing_bytes: bytesSchema.describe('0 where complete'),
          }),
        ),
      }),
    ),
    audit_head: digestSchema.optional(),
    time: z.iso.datetime(),
    tool: z.object({ name: z.string(), version: z.string() }),
  }),
})

export type Receipt = z.infer<typeof receiptKind.schema>
