import * as z from 'zod'
import { countSchema } from './descriptor.ts'
import { registrySchema } from './image.ts'
import { API_VERSION, critical, defineKind, documentHead } from './kind.ts'
import { digestSchema } from './name-schemas.ts'
import { timeSchema } from './shipment.ts'

/** How a registry was listed. */
export const registryApiSchema = z
  .enum(['distribution', 'quay', 'harbor', 'gitlab', 'hub', 'layout', 'list'])
  .describe('API that was asked; layout: a directory or archive; list: what was named')

/** The last line of a registry's list with `--summary`: the list before it is whole. */
export const listingKind = defineKind({
  kind: 'Listing',
  writtenBy: 'tools',
  apiVersions: [API_VERSION],
  schema: () =>
    z
      .object({
        ...documentHead('Listing'),
        critical,
        registry: registrySchema,
        namespace: z.string().optional().describe('Only repositories below it were listed'),
        api: registryApiSchema,
        time: timeSchema.describe('When the list began; RFC 3339, UTC'),
        complete: z.boolean().describe('Every page of every list was read'),
        filtered: z.boolean().describe('Filters left something out, or might have'),
        repositories: countSchema.describe('Repositories in the list'),
        images: countSchema.describe('Lines before this one'),
        list_digest: digestSchema.describe(
          'sha256 of a line `repository:tag@digest` with its newline for each image, in the order of the list; without tag or digest their mark is left out, too',
        ),
      })
      .describe("The last line of a registry's list with `--summary`: the list before it is whole."),
})

export type Listing = z.infer<typeof listingKind.schema>
export type RegistryApi = Listing['api']
