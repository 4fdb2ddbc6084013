import { readFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import type { DockerRegistry } from '../../shared/oci/src/testing/docker-registry.ts'

const QUIET_MS = 50
// USER_HZ, which Linux promises to be 100 whatever the kernel's own clock.
const TICKS = 100

/** What a registry did for a client. */
export interface Served {
  /** By method, as its access log has them. */
  readonly requests: Readonly<Record<string, number>>
  /** User and system. */
  readonly cpuSeconds: number
}

/** Starts to watch; the function gives what came since, when the log has been silent for a moment. */
export async function watchRegistry(registry: DockerRegistry): Promise<() => Promise<Served>> {
  const before = registry.requests().length
  const cpuBefore = await cpuSecondsOf(registry.pid)
  return async () => {
    for (let seen = -1; seen !== registry.requests().length;) {
      seen = registry.requests().length
      await wait(QUIET_MS)
    }
    const counts: Record<string, number> = {}
    for (const { method } of registry.requests().slice(before)) counts[method] = (counts[method] ?? 0) + 1
    const requests = Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)))
    return { requests, cpuSeconds: (await cpuSecondsOf(registry.pid)) - cpuBefore }
  }
}

/** proc(5): utime and stime, counted from behind the name, which may hold anything. */
async function cpuSecondsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}
