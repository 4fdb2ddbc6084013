import type { MirrorPlan } from '@carryall/schemas'
import { locateBlobs, type LoadedSequence } from '@carryall/sequence'
import { fetchBlobs } from './fetch-blobs.ts'
import { imageTracker } from './image-tracker.ts'
import { localBlobs } from './local-blobs.ts'
import type { MirrorPorts, MirrorRequest } from './mirror.ts'
import { stageArchives } from './stage-blobs.ts'
import { leftBlobs } from './staged-plan.ts'

export interface FillOptions {
  readonly request: MirrorRequest
  readonly ports: MirrorPorts
  readonly earlier: readonly LoadedSequence[]
  /** Staging of other runs, whose blobs can be used. */
  readonly leftovers: readonly string[]
  /** `tree` may hold blobs already. */
  readonly resumed: boolean
  readonly manifests: ReadonlyMap<string, Buffer>
}

/**
 * Fills the plan's archives in `tree`. Gives each archive's sha256 (hex) by name; or why images lack something, with all
 * that was fetched left in its place.
 */
export async function fillArchives(
  plan: MirrorPlan,
  tree: string,
  { request, ports, earlier, leftovers, resumed, manifests }: FillOptions,
): Promise<ReadonlyMap<string, string> | { readonly errors: readonly unknown[] }> {
  const copies = new Map([...(await leftBlobs(leftovers)), ...(await locateBlobs(earlier))])
  const archives = await stageArchives(plan, tree)
  const phase = ports.progress.phase('Fetching', { items: plan.images.length, bytes: plan.totals.new_bytes })
  const tracker = imageTracker(plan, phase)
  const asked = new Set(plan.images.flatMap((image) => image.manifests))
  try {
    const failures = await fetchBlobs(archives, localBlobs(resumed, copies, manifests), {
      parallel: request.parallel,
      retry: ports.retry,
      timeoutMs: request.imageTimeoutMs,
      signal: ports.signal,
      originOf: async (blob) => {
        const from = plan.sources[blob.digest]!
        return { source: await ports.sourceOf(from.source), repository: from.repository }
      },
      isManifest: (digest) => asked.has(digest),
      onBytes: (count) => phase.advanced(count),
      onBlob: (blob, how) => tracker.done(blob, how),
    })
    if (failures.size === 0) return await archives.close()
    await archives.abandon()
    return { errors: tracker.failed(failures) }
  } catch (error) {
    await archives.abandon().catch(() => undefined)
    throw error
  } finally {
    phase.end()
  }
}
