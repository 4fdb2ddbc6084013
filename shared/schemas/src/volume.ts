import * as z from 'zod'
import { bytesSchema } from './descriptor.ts'
import { isSafePath } from './grammar.ts'
import { API_VERSION, critical, defineKind, documentHead } from './kind.ts'
import { digestSchema } from './name-schemas.ts'
import { fileSchema, shipmentFields, toolSchema } from './shipment.ts'
import { crossingChain, crossingShipment, volumeEntry } from './transfer-plan.ts'

/** What is on one volume of a set: its file `volume.json`. */
export const volumeKind = defineKind({
  kind: 'Volume',
  writtenBy: 'tools',
  apiVersions: [API_VERSION],
  schema: () =>
    z
      .object({
        ...documentHead('Volume'),
        critical,
        set: digestSchema.describe('The set that it belongs to'),
        number: z.int().min(1).describe('Which volume of the set, from 1'),
        volumes: z.int().min(1).describe('How many volumes the set has'),
        site: z.string().optional().describe('For which site'),
        encryption: z
          .enum(['openpgp', 'age'])
          .optional()
          .describe('How the stored files are encrypted; absent where they are not'),
        chains: z
          .array(
            z.object({
              ...crossingChain,
              shipments: z
                .array(crossingShipment())
                .describe('By number; the metadata of each is on every volume'),
            }),
          )
          .describe('Chains of the set'),
        metadata: z
          .array(
            z.object({
              chain: shipmentFields.chain.shape.name,
              shipment: shipmentFields.name,
              path: fileSchema.shape.path,
              size_bytes: bytesSchema,
              stored: z
                .string()
                .refine(isSafePath, 'not a relative path that stays inside the volume')
                .describe('Path on the volume'),
            }),
          )
          .describe('Metadata, sums and signatures of the shipments, the same on every volume'),
        entries: z.array(z.object(volumeEntry())).describe('Files and parts that are on this volume'),
        tool: toolSchema,
      })
      .describe('What is on one volume of a set; its file is `volume.json`, its bytes are in `SHA256SUMS`.'),
})

export type Volume = z.infer<typeof volumeKind.schema>
