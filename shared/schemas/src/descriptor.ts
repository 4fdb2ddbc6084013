import * as z from 'zod'
import { digestSchema } from './name-schemas.ts'

// Compiling a parser for each schema costs a short run more than it saves, and a long one nothing that is noticed.
z.config({ jitless: true })

/** Bytes; below 2^53. */
export const bytesSchema = z.int().min(0).describe('Bytes')

/** A number of things. */
export const countSchema = z.int().min(0)

/** Platform of an image (image-spec: image-index, `platform`). */
export const platformSchema = z.object({
  architecture: z.string().max(64),
  os: z.string().max(64),
  variant: z.string().max(64).optional(),
  'os.version': z.string().max(128).optional(),
})

/** Content descriptor (image-spec: descriptor). Extension fields are kept out: the exact bytes are in the manifest. */
export const descriptorSchema = z.object({
  mediaType: z.string().min(1).max(255),
  digest: digestSchema,
  size: bytesSchema,
  platform: platformSchema.optional(),
  artifactType: z.string().max(255).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
  urls: z.array(z.string()).optional(),
})

export type Descriptor = z.infer<typeof descriptorSchema>
export type Platform = z.infer<typeof platformSchema>

/** `os/architecture[/variant]`, as people write it. */
export function platformName(platform: Platform): string {
  return [platform.os, platform.architecture, ...(platform.variant ? [platform.variant] : [])].join('/')
}
