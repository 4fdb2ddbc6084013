import { type HttpResponse, withRetry } from '@carryall/http'
import { type Descriptor, isDigest, isTag } from '@carryall/schemas'
import { parseManifest } from '../manifest.ts'
import type { Manifest } from '../store.ts'
import type { Connection } from './connection.ts'
import { digestOf, mismatch, subjectOf } from './manifests.ts'
import { accessTo, referencePath, repositoryPath } from './names.ts'
import { refused, registryError } from './refusal.ts'

/** Writes the exact bytes and compares the digest that is answered. Throws REG_REFUSED, TAG_CONFLICT, AUTH_*, DIGEST_MISMATCH. */
export async function sendManifest(
  registry: Connection,
  repository: string,
  reference: string,
  manifest: Manifest,
  signal?: AbortSignal,
): Promise<HttpResponse> {
  const right =
    digestOf(manifest.bytes) === manifest.digest && (isTag(reference) || reference === manifest.digest)
  const put = async () => {
    const answer = await registry.request({
      method: 'PUT',
      path: `${repositoryPath(registry.host, repository)}/manifests/${referencePath(reference)}`,
      access: accessTo(registry.host, repository, 'pull,push'),
      headers: { 'content-type': manifest.mediaType },
      body: manifest.bytes,
      ...(signal ? { signal } : {}),
    })
    if (answer.status >= 200 && answer.status < 300) return answer
    const said = await registryError(answer)
    // docker-registry says so, too, when it reads the link of a layer that another push is just writing again.
    const passing = right && said.code === 'DIGEST_INVALID'
    const subject = subjectOf(registry, repository, reference)
    throw refused(answer, said, `take the manifest ${manifest.digest} as ${reference}`, subject, passing)
  }
  const answer = await withRetry(registry.http.retry, put, signal)
  await answer.dump()
  const kept = answer.header('docker-content-digest')
  if (kept?.startsWith('sha256:') && kept !== manifest.digest)
    throw mismatch(registry, repository, reference, manifest.digest, kept)
  return answer
}

/** The entry of a manifest in the referrers list of its subject (distribution-spec: referrers); undefined without subject. */
export function referrerOf(
  manifest: Manifest,
): { readonly subject: string; readonly entry: Descriptor } | undefined {
  const { subject, artifactType, config, annotations } = parseManifest(manifest.bytes, manifest.mediaType)
  if (!subject || !isDigest(subject.digest)) return undefined
  const type = artifactType || config?.mediaType
  return {
    subject: subject.digest,
    entry: {
      mediaType: manifest.mediaType,
      digest: manifest.digest,
      size: manifest.bytes.length,
      ...(type ? { artifactType: type } : {}),
      ...(annotations ? { annotations: { ...annotations } } : {}),
    },
  }
}
