import * as z from 'zod'
import { bytesSchema, digestSchema } from './descriptor.ts'
import { isRepository, isSafePath, isTag } from './grammar.ts'

/** A line of `images.ndjson`: an image of the sequence, pinned. */
export const imageLineSchema = z.object({
  name: z.string().describe('The reference that was asked for'),
  repository: z.string().refine(isRepository, 'a repository name').describe('Path at the destination'),
  tag: z.string().refine(isTag, 'a tag').optional().describe('Absent for what is reached through its subject alone'),
  digest: digestSchema,
  media_type: z.string(),
  platforms: z.array(z.string()).describe('Platforms of an index that are carried; empty for a single image'),
  sparse: z.literal(true).optional().describe('Not every manifest of the index is carried'),
  subject: digestSchema.optional().describe('The image that this one is attached to: a signature, attestation or SBOM'),
  size_bytes: bytesSchema.describe('Manifests, configs and layers, each counted once'),
  manifests: z.array(digestSchema).min(1).describe('Children before the indexes that name them, the image itself last'),
  blobs: z.array(digestSchema).describe('Configs and layers'),
})

/** A line of `blobs.ndjson`: a blob that the sequence needs; held in an archive here, or borrowed from an earlier sequence. */
export const blobLineSchema = z.union([
  z.object({
    digest: digestSchema,
    size: bytesSchema,
    media_type: z.string(),
    archive: z.string().refine((path) => isSafePath(path) && !path.includes('/'), 'a file name'),
    offset: bytesSchema.describe("Of the blob's first byte in the archive"),
  }),
  z.object({ digest: digestSchema, size: bytesSchema, sequence: z.int().min(1) }),
])

export type ImageLine = z.infer<typeof imageLineSchema>
export type BlobLine = z.infer<typeof blobLineSchema>
export type HeldBlob = Extract<BlobLine, { archive: string }>
export type BorrowedBlob = Extract<BlobLine, { sequence: number }>
