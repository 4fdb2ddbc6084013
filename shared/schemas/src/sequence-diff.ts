import * as z from 'zod'
import { bytesSchema, countSchema } from './descriptor.ts'
import { imageLineSchema } from './index-lines.ts'
import { API_VERSION, critical, defineKind, documentHead } from './kind.ts'
import { digestSchema } from './name-schemas.ts'
import { sequenceNumberSchema } from './shipment.ts'

const side = () =>
  z.object({
    name: z.string().describe('Name of its directory'),
    sequence_number: sequenceNumberSchema,
    metadata_digest: digestSchema.describe('Digest of its metadata file'),
    timestamp: z.string().describe('When it was planned; RFC 3339, UTC'),
  })
const image = () => imageLineSchema.pick({ repository: true, tag: true, digest: true, size_bytes: true })
const repository = () => z.string().describe('Path at the destination')

/** What changed between two sequences: images, versions, bytes, configuration. */
export const sequenceDiffKind = defineKind({
  kind: 'SequenceDiff',
  writtenBy: 'tools',
  apiVersions: [API_VERSION],
  schema: () =>
    z
      .object({
        ...documentHead('SequenceDiff'),
        critical,
        from: side().describe('The first sequence'),
        to: side().describe('The second sequence'),
        images: z
          .object({
            unchanged: countSchema.describe('Images under the same name with the same digest'),
            added: z.array(image()).describe('Names that only the second one has'),
            removed: z.array(image()).describe('Names that only the first one has'),
            moved: z
              .array(
                z.object({
                  repository: repository(),
                  tag: z.string().describe('The tag'),
                  from: digestSchema.describe('Digest in the first one'),
                  to: digestSchema.describe('Digest in the second one'),
                }),
              )
              .describe('Tags that name another digest'),
          })
          .describe('Images that differ'),
        versions: z
          .array(
            z.object({
              repository: repository(),
              from: z.array(z.string()).describe('Tags in the first one'),
              to: z.array(z.string()).describe('Tags in the second one'),
            }),
          )
          .describe('Repositories whose set of tags changed'),
        blobs: z
          .object({
            added: countSchema.describe('Blobs that only the second one needs'),
            added_bytes: bytesSchema,
            removed: countSchema.describe('Blobs that only the first one needs'),
            removed_bytes: bytesSchema,
          })
          .describe('Blobs that differ'),
        configuration: z
          .array(
            z.object({
              pointer: z.string().describe('JSON pointer'),
              from: z.unknown().optional().describe('Value in the first one'),
              to: z.unknown().optional().describe('Value in the second one'),
            }),
          )
          .describe('Values that differ; list items are matched by name'),
      })
      .describe('What changed between two sequences: `seq-meta diff` prints it.'),
})

export type SequenceDiff = z.infer<typeof sequenceDiffKind.schema>
