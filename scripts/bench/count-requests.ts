import { setTimeout as wait } from 'node:timers/promises'
import type { DockerRegistry } from '../../shared/oci/src/testing/docker-registry.ts'

const QUIET_MS = 50

/** Requests by method, as the access log of a registry has them. */
export type Requests = Readonly<Record<string, number>>

/** Starts to count; the function gives what came since, when the log has been silent for a moment. */
export function countRequests(registry: DockerRegistry): () => Promise<Requests> {
  const before = registry.requests().length
  return async () => {
    for (let seen = -1; seen !== registry.requests().length;) {
      seen = registry.requests().length
      await wait(QUIET_MS)
    }
    const counts: Record<string, number> = {}
    for (const { method } of registry.requests().slice(before)) counts[method] = (counts[method] ?? 0) + 1
    return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}
