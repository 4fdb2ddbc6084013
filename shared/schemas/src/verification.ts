import * as z from 'zod'
import { bytesSchema, digestSchema } from './descriptor.ts'
import { API_VERSION, defineKind } from './kind.ts'
import { shipmentFields } from './shipment.ts'

export const faultSchema = z.object({
  code: z.string(),
  message: z.string(),
  path: z.string().optional(),
  entry: z.string().optional().describe('Entry of an archive'),
  offset: bytesSchema.optional(),
  expected: z.union([z.string(), z.number()]).optional(),
  actual: z.union([z.string(), z.number()]).optional(),
})

export const missingSchema = z.object({
  sequence_number: z.int(),
  name: z.string().optional(),
  blobs: z.int().describe('How many blobs of it are needed'),
  size_bytes: bytesSchema,
})

/** What `seq-meta verify` found in one shipment. */
export const verificationKind = defineKind({
  kind: 'Verification',
  writtenBy: 'tools',
  apiVersions: [API_VERSION],
  schema: z.object({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal('Verification'),
    shipment: z.object({
      kind: z.string(),
      name: z.string(),
      chain: shipmentFields.chain.optional(),
      sequence_number: z.int().optional(),
      metadata_digest: digestSchema.optional(),
    }),
    mode: z.enum(['fast', 'full']).describe('fast: files and sizes; full: every byte'),
    signed: z.boolean(),
    complete: z.boolean().describe('Everything that it borrows is in the content directory'),
    checked: z.object({ files: z.int(), blobs: z.int(), bytes: bytesSchema }),
    faults: z.array(faultSchema),
    missing: z.array(missingSchema).describe('Sequences still to be carried'),
  }),
})

export type Verification = z.infer<typeof verificationKind.schema>
export type Fault = z.infer<typeof faultSchema>
export type Missing = z.infer<typeof missingSchema>
