import * as z from 'zod'
import { isSafePath } from './grammar.ts'
import { API_VERSION, defineKind, documentHead } from './kind.ts'
import { shipmentFields, timeSchema } from './shipment.ts'

const fingerprint = () =>
  z
    .string()
    .regex(
      /^(?:[0-9A-F]{40}|[0-9A-F]{64})$/,
      'not a fingerprint: 40 or 64 upper-case hex digits, without spaces',
    )
    .describe('Fingerprint of a primary key: 40 (OpenPGP v4) or 64 hex digits')

const keyFile = () =>
  z
    .string()
    .refine((path) => isSafePath(path.replace(/^\//, '')), 'not a path')
    .describe('File; relative to this one')

/** What a site believes: whose signatures count, and which chains it takes. */
export const trustPolicyKind = defineKind({
  kind: 'TrustPolicy',
  writtenBy: 'people',
  apiVersions: [API_VERSION],
  schema: () =>
    z
      .strictObject({
        ...documentHead('TrustPolicy'),
        site: z
          .string()
          .min(1)
          .optional()
          .describe('Name of this site: shipments for other sites are refused'),
        keys: z
          .array(
            z.strictObject({
              fingerprint: fingerprint(),
              file: keyFile().describe('The public key, armored or binary; relative to this file'),
              endorsed_by: z
                .strictObject({
                  fingerprint: fingerprint().describe('An earlier key of this list'),
                  signature: keyFile().describe("Its detached signature over the new key's file"),
                })
                .optional()
                .describe('Rotation: the key counts only with the signature of the old one'),
              not_after: timeSchema.optional().describe('Signatures made later do not count; RFC 3339, UTC'),
            }),
          )
          .min(1)
          .describe('Keys whose signatures count'),
        threshold: z.int().min(1).optional().describe('How many different keys have to sign; 1 if absent'),
        revoked: z.array(fingerprint()).optional().describe('Keys whose signatures never count again'),
        chains: z
          .array(
            z.strictObject({
              id: shipmentFields.chain.shape.id,
              name: shipmentFields.chain.shape.name.optional(),
              keys: z
                .array(fingerprint())
                .min(1)
                .optional()
                .describe('Only these keys count for it; if absent, all but those of sites'),
              threshold: z.int().min(1).optional().describe('Instead of the one for all'),
            }),
          )
          .optional()
          .describe('Chains that are taken; any if absent'),
        sites: z
          .array(
            z.strictObject({
              name: z.string().min(1).describe('As its receipts name it'),
              keys: z
                .array(fingerprint())
                .min(1)
                .describe('Keys that sign its receipts, and shipments of those chains only that name them'),
            }),
          )
          .optional()
          .describe('Sites whose receipts have to be signed'),
      })
      .describe(
        'What a site believes: whose signatures count, and which chains it takes. `/etc/carryall/trust.yaml`.',
      ),
})

export type TrustPolicy = z.infer<typeof trustPolicyKind.schema>
