import * as z from 'zod'
import { bytesSchema } from './descriptor.ts'
import { isFileName, isSafePath } from './grammar.ts'
import { API_VERSION, apiVersion, critical, defineKind } from './kind.ts'
import { digestSchema } from './name-schemas.ts'

/** A point in time. */
export const timeSchema = z.iso.datetime().describe('RFC 3339, UTC')

export const fileSchema = z.object({
  path: z
    .string()
    .refine(isSafePath, 'not a relative path that stays inside the shipment')
    .describe('Relative to the shipment'),
  size_bytes: bytesSchema,
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe('Of the whole file, in hex'),
})

export const sequenceNumberSchema = z.int().min(1).describe('Place in the chain, from 1')

export const dependencySchema = z.object({
  sequence_number: sequenceNumberSchema,
  name: z.string().describe('Name of its directory'),
  metadata_digest: digestSchema.describe('Digest of its metadata file'),
})

/** Who wrote a document. */
export const toolSchema = z
  .object({ name: z.string().describe('Name of the tool'), version: z.string().describe('Its release') })
  .describe('What wrote this')

/** The fields that every shipment has, whatever its kind: enough to plan, pack, check and publish it. */
export const shipmentFields = {
  apiVersion,
  critical,
  chain: z
    .object({
      id: z.uuid().describe('Made with number 1, the same in the whole chain'),
      name: z
        .string()
        .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/)
        .describe('Name for people; of the content directory, where it is carried'),
    })
    .describe('The chain that this belongs to'),
  sequence_number: sequenceNumberSchema,
  name: z
    .string()
    .refine((name) => isFileName(name) && !name.startsWith('.'), 'not a directory name')
    .describe('Name of the directory'),
  timestamp: timeSchema.describe('When it was planned; RFC 3339, UTC'),
  previous: digestSchema.optional().describe("Digest of the predecessor's metadata; absent only at number 1"),
  complete: z.boolean().describe('Needs no other shipment; computed from the index'),
  dependencies: z
    .array(dependencySchema)
    .describe('Shipments that this one borrows content from; computed from the index'),
  site: z.array(z.string()).optional().describe('Sites that it is meant for; all if absent'),
  expires: timeSchema.optional().describe('Refused after this time; RFC 3339, UTC'),
  tool: toolSchema,
  files: z
    .array(fileSchema)
    .describe('Every file but this one, SHA256SUMS and its signatures; sorted by byte'),
}

/** Any shipment, read by its common fields alone. */
export const shipmentSchema = z.object({ kind: z.string(), ...shipmentFields })

export type ShipmentDocument = z.infer<typeof shipmentSchema>
export type ShipmentFile = z.infer<typeof fileSchema>
export type Dependency = z.infer<typeof dependencySchema>

/** A shipment of a kind that this release has no schema for. Never printed under this name. */
export const shipmentKind = (kind: string) =>
  defineKind({ kind, writtenBy: 'tools', apiVersions: [API_VERSION], schema: () => shipmentSchema })
