import * as z from 'zod'
import { bytesSchema } from './descriptor.ts'
import { digestSchema, fileNameSchema, repositorySchema, tagSchema } from './name-schemas.ts'

/** A line of `images.ndjson`: an image of the sequence, pinned. */
export const imageLineSchema = z.object({
  name: z.string().describe('The reference that was asked for'),
  repository: repositorySchema.describe('Path at the destination'),
  tag: tagSchema.optional().describe('Absent for what is reached through its subject alone'),
  digest: digestSchema,
  media_type: z.string().describe('Of the manifest'),
  platforms: z.array(z.string()).describe('Platforms of an index that are carried; empty for a single image'),
  sparse: z.literal(true).optional().describe('Not every manifest of the index is carried'),
  subject: digestSchema
    .optional()
    .describe('The image that this one is attached to: a signature, attestation or SBOM'),
  size_bytes: bytesSchema.describe('Manifests, configs and layers, each counted once'),
  manifests: z
    .array(digestSchema)
    .min(1)
    .describe('Children before the indexes that name them, the image itself last'),
  blobs: z.array(digestSchema).describe('Configs and layers'),
})

/** A line of `blobs.ndjson`: a blob that the sequence needs; held in an archive here, or borrowed from an earlier sequence. */
export const blobLineSchema = z.union([
  z.object({
    digest: digestSchema,
    size: bytesSchema,
    media_type: z.string().describe('As its descriptor says'),
    archive: fileNameSchema.describe('Held: the archive that it is in'),
    offset: bytesSchema.describe("Held: of the blob's first byte in the archive"),
  }),
  z.object({
    digest: digestSchema,
    size: bytesSchema,
    sequence: z.int().min(1).describe('Borrowed: number of the sequence that holds it'),
  }),
])

export type ImageLine = z.infer<typeof imageLineSchema>
export type BlobLine = z.infer<typeof blobLineSchema>
export type HeldBlob = Extract<BlobLine, { archive: string }>
export type BorrowedBlob = Extract<BlobLine, { sequence: number }>
