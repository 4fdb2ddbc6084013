import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { ensureDirectory } from '@carryall/durable'
import { CarryallError } from '@carryall/errors'
import type { RetryPolicy } from '@carryall/http'
import type { ImageSetConfiguration, MirrorPlan, Sequence } from '@carryall/schemas'
import { IMAGE_INDEX, formatImageIndex, loadChain, loadSequence, locateBlobs, type LoadedSequence } from '@carryall/sequence'
import { digestOf, openContent, readSmall, type ContentWriter } from '@carryall/shipment'
import type { Log, Progress } from '@carryall/cli'
import { CONFIG_FILE } from './describe.ts'
import { fetchBlobs } from './fetch-blobs.ts'
import { imageTracker } from './image-tracker.ts'
import { localBlobs } from './local-blobs.ts'
import { planSequence } from './plan.ts'
import { publishSequence } from './publish.ts'
import { resolveImages, type Origin } from './resolve.ts'
import { stageArchives } from './stage-blobs.ts'
import { leftBlobs, readStagedPlan, requireSpace, stagingId, writeStagedPlan } from './staged-plan.ts'
import { wantedImages, type WantedImage } from './wanted-images.ts'

/** What to mirror, and where to. */
export interface MirrorRequest {
  readonly config: ImageSetConfiguration
  /** The configuration's bytes as given, and the name of its file. */
  readonly configBytes: Buffer
  readonly configSource: string
  readonly content: string
  readonly chain: string | undefined
  readonly description: string | undefined
  readonly site: readonly string[]
  readonly expires: string | undefined
  readonly newBaseline: boolean
  readonly takeOver: boolean
  readonly signatures: boolean
  readonly foreignLayers: boolean
  readonly strictArchive: boolean
  readonly parallelImages: number
  /** Requests for blobs at once. */
  readonly parallel: number
  /** Milliseconds for one blob with its retries; 0 is no limit. */
  readonly imageTimeoutMs: number
  readonly dryRun: boolean
  readonly waitSeconds: number
}

/** The outer world of a run. */
export interface MirrorPorts {
  readonly tool: Sequence['tool']
  readonly originOf: (image: WantedImage) => Promise<Origin>
  /** The store behind an address as the plan records it. */
  readonly sourceOf: (address: string) => Promise<Origin['source']>
  readonly retry: RetryPolicy
  readonly now: () => Date
  readonly log: Log
  readonly progress: Progress
  readonly signal: AbortSignal
}

export type MirrorOutcome =
  | { readonly done: 'planned'; readonly plan: MirrorPlan; readonly changed: boolean }
  | { readonly done: 'published' | 'unchanged'; readonly sequence: LoadedSequence; readonly plan: MirrorPlan }
  | { readonly done: 'failed'; readonly errors: readonly unknown[] }

/**
 * Mirrors what the configuration asks for into the chain's next sequence, or finds that the newest one holds just that.
 * Throws CONFIG_*, SEQ_*, LOCK_HELD, IO_*; images that cannot be read or fetched come back as `failed`: then nothing is
 * published, and the next run goes on with what is staged.
 */
export async function mirror(request: MirrorRequest, ports: MirrorPorts): Promise<MirrorOutcome> {
  if (request.dryRun) {
    const earlier = await loadChain(request.content).catch((error: unknown) => (isAbsent(error) ? [] : Promise.reject(error)))
    const planned = await makePlan(request, ports, earlier)
    return 'errors' in planned ? { done: 'failed', errors: planned.errors } : { done: 'planned', plan: planned.plan, changed: !(await isUnchanged(request, planned.plan, earlier.at(-1))) }
  }
  const content = await openContent(request.content, {
    holder: `${ports.tool.name} ${ports.tool.version}`,
    waitSeconds: request.waitSeconds,
    takeOver: request.takeOver,
    signal: ports.signal,
  })
  try {
    return await run(request, ports, content)
  } finally {
    await content.close()
  }
}

async function run(request: MirrorRequest, ports: MirrorPorts, content: ContentWriter): Promise<MirrorOutcome> {
  const earlier: LoadedSequence[] = []
  for (const shipment of content.shipments) earlier.push(await loadSequence(shipment))
  const newest = earlier.at(-1)
  const staging = await content.staging(
    stagingId({ previous: newest?.shipment.metadataDigest, configDigest: digestOf(request.configBytes), optionsDigest: optionsDigest(request) }),
  )
  const staged = await readStagedPlan(staging)
  if (staged !== undefined) ports.log.info(`Going on with the run of ${staged.timestamp}; the digests that it pinned are kept`)
  const planned = staged === undefined ? await makePlan(request, ports, earlier) : { plan: staged }
  if ('errors' in planned) return { done: 'failed', errors: planned.errors }
  const { plan } = planned
  if (newest !== undefined && (await isUnchanged(request, plan, newest))) {
    await content.discard(staging)
    return { done: 'unchanged', sequence: newest, plan }
  }
  const tree = join(staging, 'tree')
  await ensureDirectory(tree)
  if (staged === undefined) {
    await requireSpace(staging, plan.totals.archive_bytes, 0)
    await writeStagedPlan(staging, plan)
  }
  const leftovers = await content.leftovers(staging.split('/').at(-1)!)
  const sums = await fill(plan, tree, staged !== undefined, { request, ports, earlier, leftovers })
  if ('errors' in sums) return { done: 'failed', errors: sums.errors }
  const earlierBytes = earlier.reduce((total, { metadata }) => total + metadata.files.reduce((sum, file) => sum + file.size_bytes, 0), 0)
  const { shipment } = await publishSequence(content, tree, { plan, config: request.configBytes, archiveSums: sums, earlierBytes, tool: ports.tool })
  for (const done of [staging, ...leftovers]) await content.discard(done)
  return { done: 'published', sequence: await loadSequence(shipment), plan }
}

interface FillContext {
  readonly request: MirrorRequest
  readonly ports: MirrorPorts
  readonly earlier: readonly LoadedSequence[]
  readonly leftovers: readonly string[]
}

async function fill(plan: MirrorPlan, tree: string, resumed: boolean, context: FillContext): Promise<ReadonlyMap<string, string> | { errors: readonly unknown[] }> {
  const { request, ports } = context
  const copies = new Map([...(await leftBlobs(context.leftovers)), ...(await locateBlobs(context.earlier))])
  const archives = await stageArchives(plan, tree)
  const phase = ports.progress.phase('Fetching', { items: plan.images.length, bytes: plan.totals.new_bytes })
  const tracker = imageTracker(plan, phase)
  try {
    const failures = await fetchBlobs(archives, localBlobs(resumed, copies), {
      parallel: request.parallel,
      retry: ports.retry,
      timeoutMs: request.imageTimeoutMs,
      signal: ports.signal,
      originOf: async (blob) => {
        const from = plan.sources[blob.digest]!
        return { source: await ports.sourceOf(from.source), repository: from.repository }
      },
      onBytes: (count) => phase.advanced(count),
      onBlob: (blob, how) => tracker.done(blob, how),
    })
    if (failures.size > 0) {
      await archives.abandon()
      return { errors: tracker.failed(failures) }
    }
    return await archives.close()
  } catch (error) {
    await archives.abandon().catch(() => undefined)
    throw error
  } finally {
    phase.end()
  }
}

async function makePlan(request: MirrorRequest, ports: MirrorPorts, earlier: readonly LoadedSequence[]): Promise<{ plan: MirrorPlan } | { errors: readonly unknown[] }> {
  const wanted = wantedImages(request.config)
  for (const warning of wanted.warnings) ports.log.warn(warning)
  const phase = ports.progress.phase('Resolving', { items: wanted.images.length })
  const { resolved, failures } = await resolveImages(wanted.images, {
    parallel: request.parallelImages,
    signatures: request.signatures,
    foreignLayers: request.foreignLayers,
    signal: ports.signal,
    originOf: ports.originOf,
    onImage: (image) => phase.finished(image.reference.text),
  }).finally(() => phase.end())
  if (failures.length > 0) return { errors: failures.map(({ image, error }) => named(image.reference.text, error)) }
  const number = (earlier.at(-1)?.metadata.sequence_number ?? 0) + 1
  const now = ports.now()
  const plan = planSequence({
    resolved,
    blocked: wanted.blocked,
    earlier,
    chain: chainOf(request, earlier),
    description: request.description ?? (number === 1 ? 'baseline' : minuteOf(now)),
    timestamp: now.toISOString(),
    configDigest: digestOf(request.configBytes),
    configSource: request.configSource,
    optionsDigest: optionsDigest(request),
    newBaseline: request.newBaseline,
    archiveGiB: request.config.archiveSize,
    strictArchive: request.strictArchive,
    site: request.site,
    expires: request.expires,
  })
  for (const { image, digest, why } of plan.skipped) ports.log.warn(`${image}: left ${digest} where it is: ${why}`)
  return { plan }
}

function chainOf(request: MirrorRequest, earlier: readonly LoadedSequence[]): MirrorPlan['chain'] {
  const known = earlier[0]?.metadata.chain
  if (known !== undefined && request.chain !== undefined && request.chain !== known.name) {
    throw new CarryallError('SEQ_WRONG_CHAIN', `${request.content} holds the chain "${known.name}", not "${request.chain}"`, {
      expected: request.chain,
      actual: known.name,
      hint: 'Name another --content directory for another chain',
    })
  }
  return known ?? { id: randomUUID(), name: request.chain ?? 'mirror' }
}

/** A run changes nothing only if the pinned images and the configuration are those of the newest sequence. */
async function isUnchanged(request: MirrorRequest, plan: MirrorPlan, newest: LoadedSequence | undefined): Promise<boolean> {
  if (newest === undefined || request.newBaseline) return false
  const { directory } = newest.shipment
  const [images, config] = await Promise.all([readSmall(join(directory, IMAGE_INDEX), 2 ** 29), readSmall(join(directory, CONFIG_FILE))])
  return images.equals(Buffer.from(formatImageIndex(plan.images))) && config.equals(request.configBytes)
}

/** The options that change what is in a sequence: a run with others is another run. */
function optionsDigest(request: MirrorRequest): string {
  const { chain, description, site, expires, newBaseline, signatures, foreignLayers, strictArchive } = request
  return digestOf(JSON.stringify([chain, description, site, expires, newBaseline, signatures, foreignLayers, strictArchive]))
}

function minuteOf(time: Date): string {
  return time.toISOString().replace(/^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d).*$/, '$1$2$3-$4$5')
}

function named(image: string, error: unknown): unknown {
  return error instanceof CarryallError ? new CarryallError(error.code, `${image}: ${error.message}`, { ...error.details, cause: error }) : error
}

function isAbsent(error: unknown): boolean {
  return error instanceof CarryallError && error.code === 'INPUT_NOT_FOUND'
}
