import { walkImage, type Destination } from '@carryall/oci'
import { openStores } from './stores.ts'

/**
 * Digests by `repository:tag`, and of what is attached by `repository@subject`. Everything below each of them is proven to be there:
 * manifests by their bytes, blobs by asking for them.
 */
export async function everythingIn(host: string): Promise<Readonly<Record<string, string>>> {
  const stores = await openStores()
  try {
    return await contentOf(stores.registry(host))
  } finally {
    await stores.close()
  }
}

async function contentOf(store: Destination): Promise<Readonly<Record<string, string>>> {
  const found: [string, string][] = []
  for await (const repository of store.repositories()) {
    const tags = new Set(await Array.fromAsync(store.tags(repository)))
    for (const tag of tags) {
      if (/^sha256-[0-9a-f]{64}$/.test(tag)) continue
      const digest = await whole(store, repository, tag)
      found.push([`${repository}:${tag}`, digest])
      found.push(...(await attached(store, repository, digest, tags)))
    }
  }
  return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)))
}

async function attached(
  store: Destination,
  repository: string,
  subject: string,
  tags: ReadonlySet<string>,
): Promise<[string, string][]> {
  const referrers = await store.referrers(repository, subject, undefined, tags)
  const found: [string, string][] = []
  for (const { digest } of referrers) {
    await whole(store, repository, digest)
    found.push(...(await attached(store, repository, digest, tags)))
  }
  if (referrers.length === 0) return found
  const digests = referrers.map(({ digest }) => digest).sort()
  return [[`${repository}@${subject}`, digests.join(' ')], ...found]
}

async function whole(store: Destination, repository: string, reference: string): Promise<string> {
  const graph = await walkImage(store, repository, reference)
  for (const { digest } of graph.blobs.values())
    if (!(await store.hasBlob(repository, digest))) throw new Error(`${repository}@${digest} is missing`)
  return graph.manifests.at(-1)!.digest
}
