import * as z from 'zod'
import { bytesSchema, countSchema } from './descriptor.ts'
import { isFileName, isSafePath } from './grammar.ts'
import { API_VERSION, critical, defineKind, documentHead } from './kind.ts'
import { digestSchema } from './name-schemas.ts'
import { fileSchema, sequenceNumberSchema, shipmentFields, timeSchema } from './shipment.ts'

/** File systems whose limits are known. */
export const FILE_SYSTEMS = ['fat32', 'exfat', 'ext4', 'xfs', 'btrfs', 'udf', 'iso9660', 'plain'] as const

/** A shipment of a chain by number and identity. */
export const linkFields = () => ({
  sequence_number: sequenceNumberSchema,
  metadata_digest: digestSchema.describe('Digest of its metadata file'),
})

/** A shipment whose metadata crosses, with its content or without. */
export const crossingShipment = () =>
  z.object({
    ...linkFields(),
    name: shipmentFields.name,
    metadata_file: z.string().refine(isFileName, 'not a file name').describe('Name of its metadata file'),
    carried: z.boolean().describe('Its files cross; else its metadata alone, as a link of the chain'),
    size_bytes: bytesSchema.describe('Bytes of its files'),
  })

/** A chain in a set: where it begins, what it reaches, what crosses. */
export const crossingChain = {
  id: shipmentFields.chain.shape.id,
  name: shipmentFields.chain.shape.name,
  from: z
    .object(linkFields())
    .optional()
    .describe('Newest shipment that the site knows; absent where it knows none'),
  target: z
    .object({ ...linkFields(), name: shipmentFields.name })
    .describe('What is complete at the site once all volumes have arrived'),
}

/** A file of a shipment, or a part of it, on a volume. */
export const volumeEntry = () => ({
  chain: shipmentFields.chain.shape.name,
  shipment: shipmentFields.name,
  path: fileSchema.shape.path,
  file_size_bytes: bytesSchema.describe('Of the whole file'),
  sha256: fileSchema.shape.sha256,
  offset: bytesSchema.optional().describe('Where in the file it begins; absent for a whole file'),
  size_bytes: bytesSchema.describe('Bytes of it that are here'),
  part: z.int().min(1).optional().describe('Which part, from 1; absent for a whole file'),
  parts: z.int().min(2).optional().describe('Number of parts of the file'),
  stored: z
    .string()
    .refine(isSafePath, 'not a relative path that stays inside the volume')
    .describe('Path on the volume'),
})

const medium = () =>
  z.object({
    name: z.string().describe('As it was asked for: dvd, usb:64GB …'),
    capacity_bytes: bytesSchema.optional().describe('What a volume may take there; absent: no limit'),
    filesystem: z.enum(FILE_SYSTEMS).describe('plain: clusters of 4 KiB, no other limit'),
    cluster_bytes: z.int().min(512).describe('What space is given out in there'),
    max_files: countSchema.optional().describe('Files and directories that fit there; absent: no limit'),
  })

/** Which shipments have to cross for one site, on which volumes. */
export const transferPlanKind = defineKind({
  kind: 'TransferPlan',
  writtenBy: 'tools',
  apiVersions: [API_VERSION],
  schema: () =>
    z
      .object({
        ...documentHead('TransferPlan'),
        critical,
        set: digestSchema.describe('Names the set of volumes: the same content and media give the same'),
        site: z.string().optional().describe('For which site; absent where none is known'),
        basis: z
          .object({
            mode: z
              .enum(['receipts', 'nothing', 'asserted'])
              .describe('asserted: what is there is the word of whoever planned'),
            receipts: z
              .array(
                z.object({
                  digest: digestSchema.describe("Of the receipt's file"),
                  time: timeSchema.describe('When it was written; RFC 3339, UTC'),
                  holds: z.string().describe('In what form the site holds it'),
                  signed_by: z.array(z.string()).describe('Fingerprints of trusted keys'),
                }),
              )
              .describe('Receipts that were believed'),
            asserted: z
              .array(z.object({ chain: shipmentFields.chain.shape.name, ...linkFields() }))
              .optional()
              .describe('Shipments that are complete there by the word of whoever planned'),
          })
          .describe('How it is known what the site has'),
        chains: z
          .array(
            z.object({
              ...crossingChain,
              directory: z.string().describe('Content directory on this side'),
              shipments: z
                .array(
                  crossingShipment().extend({
                    directory: z
                      .string()
                      .optional()
                      .describe('Where its metadata is, unless in the content directory by its name'),
                    reason: z.string().describe('Why it crosses, or why not'),
                  }),
                )
                .describe('By number'),
              present: z
                .array(z.object({ ...linkFields(), name: shipmentFields.name }))
                .describe('What the target relies on at the site'),
            }),
          )
          .describe('Chains that are carried'),
        current: z
          .array(
            z.object({
              id: shipmentFields.chain.shape.id,
              name: shipmentFields.chain.shape.name,
              target: crossingChain.target,
            }),
          )
          .optional()
          .describe('Chains of which nothing has to cross: the target is complete at the site'),
        alternatives: z
          .array(
            z.object({
              name: z.string().describe('difference, cumulative, self-contained …'),
              shipments: z.array(z.string()).describe('chain/shipment'),
              size_bytes: bytesSchema.describe('Bytes of their files'),
              volumes: countSchema.describe('Volumes that they would fill; 0 where they do not fit'),
              trade_off: z.string().describe('What speaks for and against it'),
              chosen: z.boolean().describe('It is what this plan does'),
            }),
          )
          .describe('What else could be carried'),
        media: z.array(medium()).describe('In the order in which they are used; the last one repeats'),
        volumes: z
          .array(
            z.object({
              number: z.int().min(1).describe('From 1'),
              medium: medium().describe('What it is written on'),
              used_bytes: bytesSchema.describe('What the volume takes on its medium, everything counted'),
              seconds: z.number().optional().describe('Time to copy it at --rate'),
              entries: z.array(z.object(volumeEntry())).describe('Files and parts, in the order of writing'),
            }),
          )
          .describe('What goes where'),
        totals: z
          .object({
            shipments: countSchema.describe('Shipments whose files cross'),
            files: countSchema.describe('Files of these'),
            size_bytes: bytesSchema.describe('Bytes of these files'),
            volumes: countSchema.describe('Volumes'),
            seconds: z.number().optional().describe('Time to copy all at --rate'),
          })
          .describe('Sums'),
      })
      .describe('Which shipments have to cross for one site, and on which volumes. Made by `transfer-plan`.'),
})

export type TransferPlan = z.infer<typeof transferPlanKind.schema>
export type PlannedVolume = TransferPlan['volumes'][number]
export type VolumeEntry = PlannedVolume['entries'][number]
export type Medium = PlannedVolume['medium']
export type FileSystemName = (typeof FILE_SYSTEMS)[number]
