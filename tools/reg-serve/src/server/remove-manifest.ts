import { isCarryallError } from '@carryall/errors'
import type { Exchange, Writable } from './exchange.ts'
import { Refusal } from './refusal.ts'
import { replyEmpty } from './reply.ts'

/** DELETE of a tag, or of a manifest with all its tags (distribution-spec: content management). */
export async function removeManifest(
  { response }: Exchange,
  store: Writable,
  repository: string,
  reference: string,
): Promise<void> {
  const removed = await store.deleteManifest(repository, reference).catch((error: unknown) => {
    if (isCarryallError(error, 'REG_REFUSED')) throw new Refusal(405, 'UNSUPPORTED', error.message, {}, error)
    throw error
  })
  if (!removed)
    throw new Refusal(404, 'MANIFEST_UNKNOWN', `There is no manifest ${reference} in ${repository}`)
  replyEmpty(response, 202)
}
