import type { Descriptor } from '@carryall/schemas'
import type { Exchange } from './exchange.ts'
import { replyJson } from './reply.ts'

const INDEX = 'application/vnd.oci.image.index.v1+json'
// Clients read an index of 4 MiB at most, and annotations of others may fill that.
const PAGE_BYTES = 3 * 1024 * 1024
const PAGE_ENTRIES = 1000

/**
 * Manifests whose subject is `digest`, as an index; an empty one where there are none (distribution-spec: listing referrers).
 * They are sorted by digest: a page that follows another starts where that one ended, whatever was pushed in the meantime.
 */
export async function listReferrers(
  { request, response, store, path, query }: Exchange,
  repository: string,
  digest: string,
): Promise<void> {
  const type = query.get('artifactType')
  const last = query.get('last') ?? ''
  const rest = (await store.referrers(repository, digest))
    .filter((each) => (type === null || each.artifactType === type) && each.digest > last)
    .sort((one, other) => (one.digest < other.digest ? -1 : 1))
  const manifests = pageOf(rest)
  const end = manifests.at(-1)
  const next = new URLSearchParams({
    ...(type === null ? {} : { artifactType: type }),
    last: end?.digest ?? '',
  })
  replyJson(
    request,
    response,
    { schemaVersion: 2, mediaType: INDEX, manifests },
    {
      'content-type': INDEX,
      'oci-filters-applied': type === null ? undefined : 'artifactType',
      link: manifests.length < rest.length ? `<${path}?${next.toString()}>; rel="next"` : undefined,
    },
  )
}

/** As many as one answer holds, at least one. */
function pageOf(all: readonly Descriptor[]): readonly Descriptor[] {
  let bytes = 0
  const tooMany = all.findIndex((each, index) => {
    bytes += Buffer.byteLength(JSON.stringify(each))
    return index > 0 && (bytes > PAGE_BYTES || index >= PAGE_ENTRIES)
  })
  return tooMany < 0 ? all : all.slice(0, tooMany)
}
