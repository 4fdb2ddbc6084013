import * as z from 'zod'
import { bytesSchema, countSchema } from './descriptor.ts'
import { API_VERSION, critical, defineKind, documentHead } from './kind.ts'
import { digestSchema } from './name-schemas.ts'
import { shipmentFields } from './shipment.ts'

const textOrNumber = () => z.union([z.string(), z.number()])

const fault = () =>
  z.object({
    code: z.string().describe('Error code'),
    message: z.string().describe('For people'),
    path: z.string().optional().describe('File, relative to the shipment'),
    entry: z.string().optional().describe('Entry of an archive'),
    offset: bytesSchema.optional().describe('Where in the file, in bytes'),
    expected: textOrNumber().optional().describe('What should be there'),
    actual: textOrNumber().optional().describe('What is there'),
  })

const missing = () =>
  z.object({
    sequence_number: z.int().describe('Place in the chain'),
    name: z.string().optional().describe('Name of its directory, where known'),
    blobs: countSchema.describe('How many blobs of it are needed'),
    size_bytes: bytesSchema.describe('Bytes of these blobs'),
  })

/** What `seq-meta verify` found in one shipment. */
export const verificationKind = defineKind({
  kind: 'Verification',
  writtenBy: 'tools',
  apiVersions: [API_VERSION],
  schema: () =>
    z
      .object({
        ...documentHead('Verification'),
        critical,
        shipment: z
          .object({
            kind: z.string().describe('Kind of its metadata'),
            name: z.string().describe('Name of its directory'),
            chain: shipmentFields.chain.optional(),
            sequence_number: z.int().optional().describe('Place in the chain'),
            metadata_digest: digestSchema.optional().describe('Digest of its metadata file'),
          })
          .describe('What was checked'),
        mode: z.enum(['fast', 'full']).describe('fast: files and sizes; full: every byte'),
        signed: z.boolean().describe('Trusted keys vouch for it, or for a later shipment that continues it'),
        signers: z.array(z.string()).optional().describe('Fingerprints of the trusted keys that signed it'),
        complete: z.boolean().describe('Everything that it borrows is in the content directory'),
        checked: z
          .object({
            files: countSchema.describe('Files'),
            blobs: countSchema.describe('Blobs in the archives'),
            bytes: bytesSchema.describe('Bytes that were read'),
          })
          .describe('How much was checked'),
        faults: z.array(fault()).describe('All that was found'),
        missing: z.array(missing()).describe('Sequences still to be carried'),
      })
      .describe('What `seq-meta verify` found in one shipment.'),
})

export type Verification = z.infer<typeof verificationKind.schema>
export type Fault = Verification['faults'][number]
export type Missing = Verification['missing'][number]
