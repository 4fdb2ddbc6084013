import * as z from 'zod'
import { descriptorSchema } from './descriptor.ts'

const common = {
  mediaType: z.string().optional(),
  artifactType: z.string().optional(),
  subject: descriptorSchema.optional(),
  annotations: z.record(z.string(), z.string()).optional(),
}

/** image-spec: image-index; also Docker's manifest list. */
export const indexManifestSchema = z.object({
  ...common,
  schemaVersion: z.literal(2),
  manifests: z.array(descriptorSchema),
})

/** image-spec: manifest; also Docker's schema 2. */
export const imageManifestSchema = z.object({
  ...common,
  schemaVersion: z.literal(2),
  config: descriptorSchema,
  layers: z.array(descriptorSchema),
})

/** The artifact manifest of image-spec 1.1's release candidates. */
export const artifactManifestSchema = z.object({
  ...common,
  blobs: z.array(descriptorSchema).optional(),
})
