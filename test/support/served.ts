import type { DockerRegistry, ServedRequest } from '@carryall/oci/testing'

let marks = 0

/** What a registry served while `work` ran. The log is read up to a request of our own, so that no line is still under way. */
export async function servedDuring(
  registry: DockerRegistry,
  work: () => Promise<unknown>,
): Promise<readonly ServedRequest[]> {
  const before = await mark(registry)
  await work()
  const after = await mark(registry)
  return registry.requests().slice(before + 1, after)
}

/** Those that ask for a blob's bytes. */
export function blobGets(served: readonly ServedRequest[]): readonly string[] {
  return served
    .filter(({ method, path }) => method === 'GET' && path.includes('/blobs/'))
    .map(({ path }) => path.split('/').at(-1)!)
}

/** Those that change something. */
export function writes(served: readonly ServedRequest[]): readonly ServedRequest[] {
  return served.filter(({ method }) => method !== 'GET' && method !== 'HEAD')
}

async function mark(registry: DockerRegistry): Promise<number> {
  const path = `/v2/?mark=${++marks}`
  await fetch(registry.url + path)
  for (;;) {
    const at = registry.requests().findIndex((request) => request.path === path)
    if (at >= 0) return at
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
