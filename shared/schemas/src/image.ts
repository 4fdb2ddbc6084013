import * as z from 'zod'
import { bytesSchema } from './descriptor.ts'
import { isHost } from './grammar.ts'
import { API_VERSION, critical, defineKind, documentHead } from './kind.ts'
import { digestSchema, repositorySchema, tagSchema } from './name-schemas.ts'
import { timeSchema } from './shipment.ts'

/** Where repositories are: a registry, an OCI image layout, an OCI archive. */
export const registrySchema = z
  .string()
  .refine(
    (text) => isHost(text) || /^oci(?:-archive)?:./.test(text),
    'not host[:port], oci:DIRECTORY or oci-archive:FILE',
  )
  .describe('`host[:port]`, `oci:DIRECTORY` or `oci-archive:FILE`')

/** A line of a registry's list: one tag, or one manifest without a tag. */
export const imageKind = defineKind({
  kind: 'Image',
  writtenBy: 'tools',
  apiVersions: [API_VERSION],
  schema: () =>
    z
      .object({
        ...documentHead('Image'),
        critical,
        registry: registrySchema,
        repository: repositorySchema,
        tag: tagSchema.optional().describe('Absent for a manifest that no tag names'),
        digest: digestSchema.optional().describe('Absent where it was not asked for'),
        media_type: z.string().optional().describe('Of the manifest or index'),
        size_bytes: bytesSchema
          .optional()
          .describe('As the API counts it: compressed, of all that belongs to it'),
        created: timeSchema.optional().describe('When the tag was given this digest, where the API tells it'),
      })
      .refine(
        ({ tag, digest }) => tag !== undefined || digest !== undefined,
        'neither tag nor digest is there: one of them is wanted',
      )
      .describe("A line of a registry's list: one tag, or one manifest without a tag."),
})

export type Image = z.infer<typeof imageKind.schema>
