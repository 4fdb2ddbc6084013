import * as z from 'zod'
import { bytesSchema, digestSchema } from './descriptor.ts'
import { isSafePath } from './grammar.ts'
import { API_VERSION, defineKind } from './kind.ts'

const timeSchema = z.iso.datetime().describe('RFC 3339, UTC')

export const fileSchema = z.object({
  path: z.string().refine(isSafePath, 'a relative path that stays inside the shipment'),
  size_bytes: bytesSchema,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})

export const dependencySchema = z.object({
  sequence_number: z.int().min(1),
  name: z.string(),
  metadata_digest: digestSchema,
})

/** The fields that every shipment has, whatever its kind: enough to plan, pack, check and publish it. */
export const shipmentFields = {
  apiVersion: z.literal(API_VERSION),
  critical: z.array(z.string()).optional().describe('Keys that a reader must know, or refuse the document'),
  chain: z.object({
    id: z.uuid().describe('Made with number 1, the same in the whole chain'),
    name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/),
  }),
  sequence_number: z.int().min(1),
  name: z.string().refine((name) => isSafePath(name) && !name.includes('/') && !name.startsWith('.'), 'a directory name'),
  timestamp: timeSchema,
  previous: digestSchema.optional().describe("The predecessor's metadata digest; absent only at number 1"),
  complete: z.boolean().describe('Needs no other shipment; computed from the index'),
  dependencies: z.array(dependencySchema).describe('Shipments that this one borrows content from; computed from the index'),
  site: z.array(z.string()).optional().describe('Sites that it is meant for; all if absent'),
  expires: timeSchema.optional(),
  tool: z.object({ name: z.string(), version: z.string() }),
  files: z.array(fileSchema).describe('Every file but this one, SHA256SUMS and its signatures; sorted by byte'),
}

/** Any shipment, read by its common fields alone. */
export const shipmentSchema = z.object({ kind: z.string(), ...shipmentFields })

export type ShipmentDocument = z.infer<typeof shipmentSchema>
export type ShipmentFile = z.infer<typeof fileSchema>
export type Dependency = z.infer<typeof dependencySchema>

/** A shipment of a kind that this release has no schema for. Never printed under this name. */
export const shipmentKind = (kind: string) =>
  defineKind({ kind, writtenBy: 'tools', apiVersions: [API_VERSION], schema: shipmentSchema })
