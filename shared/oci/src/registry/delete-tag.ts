import { CarryallError } from '@carryall/errors'
import type { HttpResponse } from '@carryall/http'
import { isTag } from '@carryall/schemas'
import { movedTag } from '../moved-tag.ts'
import type { DeleteTagOptions } from '../store.ts'
import type { Connection } from './connection.ts'
import { headManifest, subjectOf } from './manifests.ts'
import { accessTo, referencePath, repositoryPath } from './names.ts'
import { refused, type RegistryError, registryError } from './refusal.ts'

// What registries answer that do not know how to delete a tag: docker-registry 400, others 404, 405 or 501.
const NOT_BY_TAG = new Set([400, 404, 405, 501])

interface Refusal {
  readonly answer: HttpResponse
  readonly said: RegistryError
}

/**
 * Deletes by tag (OCI 1.1); where the registry cannot and the manifest may go, by digest, which removes every tag of it.
 * Throws TAG_CONFLICT, REG_REFUSED, AUTH_*, NET_*. A deletion whose answer is lost is asked for again and then `absent`.
 */
export async function deleteTag(
  registry: Connection,
  repository: string,
  tag: string,
  digest: string,
  { manifestMayGo = false, signal }: DeleteTagOptions = {},
): Promise<'deleted' | 'absent'> {
  const look = async () =>
    isTag(tag) ? (await headManifest(registry, repository, tag, signal))?.digest : undefined
  const found = await look()
  if (found === undefined) return 'absent'
  if (found !== digest) throw movedTag(registry.host, repository, tag, digest, found)
  const byTag = await remove(registry, repository, tag, signal)
  if (byTag === undefined) return 'deleted'
  const subject = subjectOf(registry, repository, tag)
  const refuse = ({ answer, said }: Refusal) => refused(answer, said, `delete ${repository}:${tag}`, subject)
  if (!NOT_BY_TAG.has(byTag.answer.status) || isReadOnly(byTag)) throw refuse(byTag)
  if (byTag.answer.status === 404 && (await look()) === undefined) return 'absent'
  if (!manifestMayGo) throw cannot(registry, repository, tag, byTag, ONLY_MANIFESTS)
  const byDigest = await remove(registry, repository, digest, signal)
  if (byDigest === undefined) return 'deleted'
  if (byDigest.answer.status === 404) return 'absent'
  throw byDigest.said.code === 'UNSUPPORTED'
    ? cannot(registry, repository, tag, byDigest, SWITCHED_OFF)
    : refuse(byDigest)
}

/** Undefined where it is deleted. */
async function remove(
  registry: Connection,
  repository: string,
  reference: string,
  signal: AbortSignal | undefined,
): Promise<Refusal | undefined> {
  const answer = await registry.request({
    method: 'DELETE',
    path: `${repositoryPath(registry.host, repository)}/manifests/${referencePath(reference)}`,
    access: accessTo(registry.host, repository, 'pull,push,delete'),
    idempotent: true,
    ...(signal ? { signal } : {}),
  })
  if (answer.status >= 300) return { answer, said: await registryError(answer) }
  await answer.dump()
  return undefined
}

/** A registry under maintenance refuses every write alike; one that only does not know this one would take a PUT. */
function isReadOnly({ answer, said }: Refusal): boolean {
  return answer.status === 405 && said.code === undefined && !/\bPUT\b/.test(answer.header('allow') ?? 'PUT')
}

const ONLY_MANIFESTS = (host: string, status: number): string =>
  `${host} deletes manifests, with all their tags, ${status === 405 ? 'if it deletes at all' : 'but no single tag'}: the tag can go only together with all others of its digest, and where no index that stays contains it`

const SWITCHED_OFF = (host: string): string =>
  `Deletion is switched off on ${host}; its administrator can allow it (docker-registry: REGISTRY_STORAGE_DELETE_ENABLED=true)`

function cannot(
  registry: Connection,
  repository: string,
  tag: string,
  { answer, said }: Refusal,
  hint: (host: string, status: number) => string,
): CarryallError {
  const words = [said.code, said.message].filter(Boolean).join(': ')
  return new CarryallError(
    'REG_REFUSED',
    `${registry.host} does not delete ${repository}:${tag}: ${answer.status}${words ? ` ${words}` : ''}`,
    {
      subject: subjectOf(registry, repository, tag),
      actual: said.code ?? answer.status,
      hint: hint(registry.host, answer.status),
    },
  )
}
