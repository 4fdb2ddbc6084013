import * as z from 'zod'
import { bytesSchema, digestSchema } from './descriptor.ts'
import { imageLineSchema } from './index-lines.ts'
import { API_VERSION, defineKind } from './kind.ts'

const side = z.object({ name: z.string(), sequence_number: z.int(), metadata_digest: digestSchema, timestamp: z.string() })
const image = imageLineSchema.pick({ repository: true, tag: true, digest: true, size_bytes: true })

/** What changed between two sequences: images, versions, bytes, configuration. */
export const sequenceDiffKind = defineKind({
  kind: 'SequenceDiff',
  writtenBy: 'tools',
  apiVersions: [API_VERSION],
  schema: z.object({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal('SequenceDiff'),
    from: side,
    to: side,
    images: z.object({
      unchanged: z.int(),
      added: z.array(image),
      removed: z.array(image),
      moved: z.array(z.object({ repository: z.string(), tag: z.string(), from: digestSchema, to: digestSchema })),
    }),
    versions: z
      .array(z.object({ repository: z.string(), from: z.array(z.string()), to: z.array(z.string()) }))
      .describe('Repositories whose set of tags changed'),
    blobs: z.object({ added: z.int(), added_bytes: bytesSchema, removed: z.int(), removed_bytes: bytesSchema }),
    configuration: z
      .array(z.object({ pointer: z.string(), from: z.unknown().optional(), to: z.unknown().optional() }))
      .describe('Values that differ; list items are matched by name'),
  }),
})

export type SequenceDiff = z.infer<typeof sequenceDiffKind.schema>
