import { createHash } from 'node:crypto'
import type { RegistryFiles } from './registry-files.ts'
import { storedImage, type StoredImage } from './stored-image.ts'

/** What Quay gives who asks for a tag without naming its media type: schema 1 of the image for amd64, if there is one. */
export function schema1(
  files: RegistryFiles,
  repository: string,
  tag: string,
  image: StoredImage,
): Pick<StoredImage, 'bytes' | 'mediaType' | 'digest'> | undefined {
  const child = image.json.manifests?.find(
    ({ platform }) => platform?.os === 'linux' && platform.architecture === 'amd64',
  )
  if (child) return schema1(files, repository, tag, storedImage(files, child.digest))
  const config = image.config()
  if (image.isList || config === undefined) return undefined
  const layers = (image.json.layers ?? []).toReversed()
  const payload = {
    schemaVersion: 1,
    name: repository,
    tag,
    architecture: config.architecture,
    fsLayers: layers.map(({ digest }) => ({ blobSum: digest })),
    history: layers.map((_, index) => ({
      v1Compatibility: JSON.stringify({ id: `layer-${index}`, ...config }),
    })),
  }
  const signed = { ...payload, signatures: [{ header: {}, signature: 'test', protected: 'test' }] }
  return {
    bytes: Buffer.from(JSON.stringify(signed, null, 3)),
    mediaType: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
    // Of the payload without its signatures, not of the bytes.
    digest: `sha256:${createHash('sha256')
      .update(JSON.stringify(payload, null, 3))
      .digest('hex')}`,
  }
}
