import * as z from 'zod'
import { isRepository, isTag } from './grammar.ts'
import { defineKind } from './kind.ts'

const platform = z.strictObject({
  os: z.string().min(1),
  architecture: z.string().min(1),
})
const platforms = z.array(platform).describe('Platforms to keep of multi-arch images; all if absent')

const repositoryPath = z.string().refine(isRepository, 'a repository path: lower-case components separated by "/", without tag or digest')
const tag = z.string().refine(isTag, 'a tag: 1 to 128 letters, digits, "_", "." and "-"')
const regexp = z.string().refine(compiles, 'a regular expression that compiles')

const channel = z.strictObject({
  name: z.string().min(1),
  type: z.enum(['ocp', 'okd']).optional(),
  minVersion: z.string().optional(),
  maxVersion: z.string().optional(),
  shortestPath: z.boolean().optional(),
  full: z.boolean().optional(),
})

const release = z.strictObject({
  graph: z.boolean().optional(),
  channels: z.array(channel).optional(),
  architectures: z.array(z.string()).optional(),
  platforms: platforms.optional(),
  release: z.string().optional(),
  kubeVirtContainer: z.boolean().optional(),
})

const packageChannel = z.strictObject({
  name: z.string().min(1),
  minVersion: z.string().optional(),
  maxVersion: z.string().optional(),
})

const operatorPackage = z.strictObject({
  name: z.string().min(1),
  defaultChannel: z.string().optional(),
  minVersion: z.string().optional(),
  maxVersion: z.string().optional(),
  channels: z.array(packageChannel).optional(),
})

const operator = z.strictObject({
  catalog: z.string().min(1),
  targetCatalog: repositoryPath.optional(),
  targetTag: tag.optional(),
  full: z.boolean().optional(),
  skipDependencies: z.boolean().optional(),
  targetCatalogSourceTemplate: z.string().optional(),
  platforms: platforms.optional(),
  packages: z.array(operatorPackage).optional(),
})

const chart = z.strictObject({
  name: z.string().min(1),
  version: z.string().optional(),
  path: z.string().optional(),
  imagePaths: z.array(z.string()).optional(),
  platforms: platforms.optional(),
})

const helm = z.strictObject({
  repositories: z.array(z.strictObject({ name: z.string(), url: z.string(), charts: z.array(chart).optional() })).optional(),
  local: z.array(chart).optional(),
})

const additionalImage = z.strictObject({
  name: z.string().min(1).describe('Image by tag, digest or both; or oci:///directory'),
  targetRepo: repositoryPath.optional(),
  targetTag: tag.optional(),
  platforms: platforms.optional(),
})

/** What operators write for oc-mirror: `mirror.openshift.io/v2alpha1`; `v1alpha2` is accepted where its keys mean the same. */
export const imageSetConfigurationKind = defineKind({
  kind: 'ImageSetConfiguration',
  writtenBy: 'people',
  apiVersions: ['mirror.openshift.io/v2alpha1', 'mirror.openshift.io/v1alpha2'],
  anyCase: true,
  schema: z.strictObject({
    kind: z.literal('ImageSetConfiguration'),
    apiVersion: z.string(),
    archiveSize: z.int().min(0).max(1_000_000).optional().describe('Largest archive in GiB; 500 if absent or 0'),
    mirror: z.strictObject({
      platform: release.optional(),
      operators: z.array(operator).optional(),
      additionalImages: z.array(additionalImage).optional(),
      helm: helm.optional(),
      blockedImages: z.array(z.strictObject({ name: regexp })).optional().describe('Regular expressions, tested anywhere in the image name'),
      samples: z.array(z.strictObject({ name: z.string() })).optional(),
    }),
  }),
})

export type ImageSetConfiguration = z.infer<typeof imageSetConfigurationKind.schema>
export type AdditionalImage = z.infer<typeof additionalImage>

function compiles(source: string): boolean {
  try {
    return new RegExp(source, 'u') instanceof RegExp
  } catch {
    return false
  }
}
