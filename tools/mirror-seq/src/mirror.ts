import { join } from 'node:path'
import { ensureDirectory, removeTree } from '@carryall/durable'
import { CarryallError } from '@carryall/errors'
import type { RetryPolicy } from '@carryall/http'
import type { ImageSetConfiguration, MirrorPlan, Sequence } from '@carryall/schemas'
import {
  formatImageIndex,
  IMAGE_INDEX,
  loadChain,
  loadSequence,
  locateBlobs,
  type LoadedSequence,
} from '@carryall/sequence'
import { digestOf, openContent, readSmall, type ContentWriter } from '@carryall/shipment'
import type { Signer } from '@carryall/trust'
import type { Log, Progress } from '@carryall/cli'
import { CONFIG_FILE } from './describe.ts'
import { fillArchives } from './fill.ts'
import { makePlan, optionsDigest } from './make-plan.ts'
import { publishSequence } from './publish.ts'
import type { Origin } from './resolve.ts'
import { readStagedPlan, requireSpace, spentStagings, stagingId, writeStagedPlan } from './staged-plan.ts'
import { wantedImages, type Wanted, type WantedImage } from './wanted-images.ts'

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
  /** As it was given: days from now are another time at each run, and yet the same run. */
  readonly expiresAs: string | undefined
  readonly newBaseline: boolean
  readonly takeOver: boolean
  /** Pin the images anew instead of going on with a staged plan; what it fetched is used. */
  readonly restart: boolean
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
  /** Signs the sequence; it stays unsigned without one. */
  readonly signer?: Signer | undefined
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
  const wanted = wantedImages(request.config)
  for (const warning of wanted.warnings) ports.log.warn(warning)
  if (request.dryRun) {
    const earlier = await loadChain(request.content).catch((error: unknown) =>
      isAbsent(error) ? [] : Promise.reject(error),
    )
    const planned = await makePlan(request, wanted, ports, earlier)
    return 'errors' in planned
      ? { done: 'failed', errors: planned.errors }
      : {
          done: 'planned',
          plan: planned.plan,
          changed: !(await isUnchanged(request, planned.plan, earlier.at(-1))),
        }
  }
  const content = await openContent(request.content, {
    holder: `${ports.tool.name} ${ports.tool.version}`,
    waitSeconds: request.waitSeconds,
    takeOver: request.takeOver,
    signal: ports.signal,
  })
  try {
    return await run(request, wanted, ports, content)
  } finally {
    await content.close()
  }
}

async function run(
  request: MirrorRequest,
  wanted: Wanted,
  ports: MirrorPorts,
  content: ContentWriter,
): Promise<MirrorOutcome> {
  const earlier: LoadedSequence[] = []
  for (const shipment of content.shipments) earlier.push(await loadSequence(shipment))
  const newest = earlier.at(-1)
  const id = stagingId({
    previous: newest?.shipment.metadataDigest,
    configDigest: digestOf(request.configBytes),
    optionsDigest: optionsDigest(request),
  })
  if (request.restart) await content.retire(id)
  const staging = await content.staging(id)
  const staged = await readStagedPlan(staging)
  if (staged !== undefined)
    ports.log.info(
      `Going on with the run of ${staged.timestamp}; the digests that it pinned are kept (--restart pins anew)`,
    )
  const planned =
    staged === undefined
      ? await makePlan(request, wanted, ports, earlier)
      : { plan: staged, manifests: new Map<string, Buffer>() }
  if ('errors' in planned) {
    // Nothing is in it yet.
    await content.discard(staging)
    return { done: 'failed', errors: planned.errors }
  }
  const { plan, manifests } = planned
  await requireLenders(plan, earlier)
  if (newest !== undefined && (await isUnchanged(request, plan, newest))) {
    for (const done of [
      staging,
      ...(await spentStagings(await content.leftovers(id), newest.metadata.sequence_number)),
    ])
      await content.discard(done)
    return { done: 'unchanged', sequence: newest, plan }
  }
  const tree = join(staging, 'tree')
  // Without a plan nothing in it can be told apart.
  if (staged === undefined) await removeTree(tree)
  await ensureDirectory(tree)
  await requireSpace(tree, plan)
  if (staged === undefined) await writeStagedPlan(staging, plan)
  const leftovers = await content.leftovers(id)
  const sums = await fillArchives(plan, tree, {
    request,
    ports,
    earlier,
    leftovers,
    resumed: staged !== undefined,
    manifests,
  })
  if ('errors' in sums) return { done: 'failed', errors: sums.errors }
  const earlierBytes = earlier.reduce(
    (total, { metadata }) => total + metadata.files.reduce((sum, file) => sum + file.size_bytes, 0),
    0,
  )
  const { shipment } = await publishSequence(content, tree, {
    plan,
    config: request.configBytes,
    archiveSums: sums,
    earlierBytes,
    tool: ports.tool,
    signer: ports.signer,
  })
  for (const done of [staging, ...leftovers]) await content.discard(done)
  return { done: 'published', sequence: await loadSequence(shipment), plan }
}

/** Nothing is borrowed from a sequence that is not whole here: by names and sizes, as `seq-meta verify --fast` looks. */
async function requireLenders(plan: MirrorPlan, earlier: readonly LoadedSequence[]): Promise<void> {
  const here = await locateBlobs(earlier)
  const lost = plan.blobs.find((blob) => 'sequence' in blob && !here.has(blob.digest))
  if (lost === undefined || !('sequence' in lost)) return
  const lender = earlier.find((sequence) => sequence.metadata.sequence_number === lost.sequence)
  throw new CarryallError(
    'FILE_MISSING',
    `${lender?.metadata.name ?? `Sequence ${lost.sequence}`} lacks archives that the next sequence would borrow from`,
    {
      subject: {
        kind: 'shipment',
        name: lender?.metadata.name ?? String(lost.sequence),
        digest: lost.digest,
      },
      hint: 'Bring its archives back (seq-meta verify --fast names them), or use --new-baseline to need none of them',
    },
  )
}

/** A run changes nothing only if the pinned images and the configuration are those of the newest sequence. */
async function isUnchanged(
  request: MirrorRequest,
  plan: MirrorPlan,
  newest: LoadedSequence | undefined,
): Promise<boolean> {
  if (newest === undefined || request.newBaseline) return false
  const { directory } = newest.shipment
  const [images, config] = await Promise.all([
    readSmall(join(directory, IMAGE_INDEX), 2 ** 29),
    readSmall(join(directory, CONFIG_FILE)),
  ])
  return images.equals(Buffer.from(formatImageIndex(plan.images))) && config.equals(request.configBytes)
}

function isAbsent(error: unknown): boolean {
  return error instanceof CarryallError && error.code === 'INPUT_NOT_FOUND'
}
