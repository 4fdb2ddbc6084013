import { type HttpResponse } from '@carryall/http'
import { type Descriptor, isDigest } from '@carryall/schemas'
import { parseManifest } from '../manifest.ts'
import type { Manifest } from '../store.ts'
import type { Connection } from './connection.ts'
import { mismatch, subjectOf } from './manifests.ts'
import { accessTo, referencePath, repositoryPath } from './names.ts'
import { refusal } from './refusal.ts'

/** Writes the exact bytes and compares the digest that is answered. Throws REG_REFUSED, TAG_CONFLICT, AUTH_*, DIGEST_MISMATCH. */
export async function sendManifest(registry: Connection, repository: string, reference: string, manifest: Manifest, signal?: AbortSignal): Promise<HttpResponse> {
  const answer = await registry.request({
    method: 'PUT',
    path: `${repositoryPath(registry.host, repository)}/manifests/${referencePath(reference)}`,
    access: accessTo(registry.host, repository, 'pull,push'),
    headers: { 'content-type': manifest.mediaType },
    body: manifest.bytes,
    idempotent: true,
    ...(signal ? { signal } : {}),
  })
  if (answer.status < 200 || answer.status > 299) {
    throw await refusal(answer, `take the manifest ${manifest.digest} as ${repository}:${reference}`, subjectOf(registry, repository, reference))
  }
  await answer.dump()
  const kept = answer.header('docker-content-digest')
  if (kept?.startsWith('sha256:') && kept !== manifest.digest) throw mismatch(registry, repository, reference, manifest.digest, kept)
  return answer
}

/** The entry of a manifest in the referrers list of its subject (distribution-spec: referrers); undefined without subject. */
export function referrerOf(manifest: Manifest): { readonly subject: string; readonly entry: Descriptor } | undefined {
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
