import { writeFile } from 'node:fs/promises'
import { toYaml, type ImageSetConfiguration } from '@carryall/schemas'

type Mirror = ImageSetConfiguration['mirror']

/** An ImageSetConfiguration as it is written, with what a test wants to have in it. */
export async function writeConfig(
  path: string,
  images: readonly (string | NonNullable<Mirror['additionalImages']>[number])[],
  more: { readonly apiVersion?: string; readonly archiveSize?: number; readonly mirror?: Mirror } = {},
): Promise<string> {
  const { mirror, apiVersion = 'mirror.openshift.io/v2alpha1', ...top } = more
  const additionalImages = images.map((image) => (typeof image === 'string' ? { name: image } : image))
  await writeFile(
    path,
    toYaml({ kind: 'ImageSetConfiguration', apiVersion, ...top, mirror: { ...mirror, additionalImages } }),
  )
  return path
}
