import * as z from 'zod'
import { goPattern } from './go-pattern.ts'
import { defineKind } from './kind.ts'
import { repositorySchema, tagSchema } from './name-schemas.ts'

const API_VERSIONS = ['mirror.openshift.io/v2alpha1', 'mirror.openshift.io/v1alpha2'] as const

const name = () => z.string().min(1, 'must not be empty')
const minVersion = () => z.string().optional().describe('Lowest version, as `"4.16.0"`')
const maxVersion = () => z.string().optional().describe('Highest version')
const platforms = () =>
  z
    .array(
      z.strictObject({
        os: name().describe('As `linux`'),
        architecture: name().describe('As `amd64`'),
      }),
    )
    .optional()
    .describe('Platforms to keep of multi-arch images; all if absent')

const releaseChannel = () =>
  z.strictObject({
    name: name().describe('As `stable-4.16`'),
    type: z.enum(['ocp', 'okd']).optional().describe('ocp if absent'),
    minVersion: minVersion(),
    maxVersion: maxVersion(),
    shortestPath: z.boolean().optional().describe('Only the versions of the shortest upgrade path'),
    full: z.boolean().optional().describe('All versions of the channel'),
  })

const release = () =>
  z.strictObject({
    graph: z.boolean().optional().describe('Also the upgrade graph'),
    channels: z.array(releaseChannel()).optional().describe('Channels to take releases from'),
    architectures: z.array(name()).optional().describe('Architectures of the releases; amd64 if absent'),
    platforms: platforms(),
    release: name().optional().describe('One release, by reference'),
    kubeVirtContainer: z.boolean().optional().describe("Also the release's KubeVirt image"),
  })

const operatorPackage = () =>
  z.strictObject({
    name: name().describe('Name of the package'),
    defaultChannel: z.string().optional().describe('Default channel of the filtered catalog'),
    minVersion: minVersion(),
    maxVersion: maxVersion(),
    channels: z
      .array(
        z.strictObject({
          name: name().describe('Name of the channel'),
          minVersion: minVersion(),
          maxVersion: maxVersion(),
        }),
      )
      .optional()
      .describe('Channels to keep; all if absent'),
  })

const operator = () =>
  z.strictObject({
    catalog: name().describe('Catalog image by tag or digest, or `oci://directory`'),
    targetCatalog: repositorySchema.optional().describe('Path at the destination'),
    targetTag: tagSchema.optional().describe('Tag at the destination'),
    full: z.boolean().optional().describe('All versions, not the heads of the channels only'),
    skipDependencies: z.boolean().optional().describe('Accepted, without effect'),
    targetCatalogSourceTemplate: z.string().optional().describe('File with a template for the CatalogSource'),
    platforms: platforms(),
    packages: z.array(operatorPackage()).optional().describe('Packages to keep; all if absent'),
  })

const chart = () =>
  z.strictObject({
    name: name().describe('Name of the chart'),
    version: z.string().optional().describe('Version of the chart; the newest if absent'),
    path: z.string().optional().describe('File or directory of a local chart'),
    imagePaths: z.array(z.string()).optional().describe('JSONPaths of images, besides the usual ones'),
    platforms: platforms(),
  })

const helm = () =>
  z.strictObject({
    repositories: z
      .array(
        z.strictObject({
          name: name().describe('Name for people'),
          url: name().describe('Where its `index.yaml` is'),
          charts: z.array(chart()).optional().describe('Charts to take; all if absent'),
        }),
      )
      .optional()
      .describe('Helm repositories'),
    local: z.array(chart()).optional().describe('Charts on this host'),
  })

const additionalImage = () =>
  z.strictObject({
    name: name().describe('Image by tag, digest or both; or `oci:///directory`'),
    targetRepo: repositorySchema.optional().describe('Path at the destination; as at the source if absent'),
    targetTag: tagSchema
      .optional()
      .describe('Tag at the destination; that of the source, or `sha256-…`, if absent'),
    platforms: platforms(),
  })

/** What operators write for oc-mirror: `mirror.openshift.io/v2alpha1`; `v1alpha2` is accepted where its keys mean the same. */
export const imageSetConfigurationKind = defineKind({
  kind: 'ImageSetConfiguration',
  writtenBy: 'people',
  apiVersions: API_VERSIONS,
  goKeys: true,
  schema: () =>
    z
      .strictObject({
        kind: z.literal('ImageSetConfiguration').describe('Kind of the document'),
        apiVersion: z.enum(API_VERSIONS).describe('Version of the format'),
        archiveSize: z
          .int()
          .min(0)
          .max(1_000_000)
          .optional()
          .describe('Largest archive in GiB; 500 if absent or 0'),
        mirror: z
          .strictObject({
            platform: release().optional().describe('OpenShift releases'),
            operators: z.array(operator()).optional().describe('Operators, by catalog'),
            additionalImages: z.array(additionalImage()).optional().describe('Images, one by one'),
            helm: helm().optional().describe('Images that Helm charts name'),
            blockedImages: z
              .array(
                z.strictObject({
                  name: z
                    .string()
                    .refine(compiles, 'not a regular expression')
                    .describe('Regular expression'),
                }),
              )
              .optional()
              .describe('Images to leave out: regular expressions, tested anywhere in the name'),
            samples: z
              .array(z.strictObject({ name: z.string().describe('Name of the sample') }))
              .optional()
              .describe('Accepted, without effect'),
          })
          .describe('What to mirror'),
      })
      .describe('What `mirror-seq` mirrors; what operators write for oc-mirror.'),
})

export type ImageSetConfiguration = z.infer<typeof imageSetConfigurationKind.schema>
export type AdditionalImage = NonNullable<ImageSetConfiguration['mirror']['additionalImages']>[number]

function compiles(source: string): boolean {
  try {
    return goPattern(source) instanceof RegExp
  } catch {
    return false
  }
}
