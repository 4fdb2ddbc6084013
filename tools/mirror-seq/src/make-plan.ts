import { randomUUID } from 'node:crypto'
import { CarryallError } from '@carryall/errors'
import type { MirrorPlan } from '@carryall/schemas'
import { locateBlobs, sequenceStore, type LoadedSequence } from '@carryall/sequence'
import { digestOf } from '@carryall/shipment'
import { withKnownManifests } from './known-manifests.ts'
import type { MirrorPorts, MirrorRequest } from './mirror.ts'
import { planSequence } from './plan.ts'
import { resolveImages, type ResolvedImage } from './resolve.ts'
import type { Wanted, WantedImage } from './wanted-images.ts'

export interface Planned {
  readonly plan: MirrorPlan
  /** Manifests that were read for it: they need not be fetched again. */
  readonly manifests: ReadonlyMap<string, Buffer>
}

/** Pins the images and plans the next sequence; or says of every image that cannot be read why. Throws CONFIG_*, SEQ_WRONG_CHAIN. */
export async function makePlan(
  request: MirrorRequest,
  wanted: Wanted,
  ports: MirrorPorts,
  earlier: readonly LoadedSequence[],
): Promise<Planned | { readonly errors: readonly unknown[] }> {
  const chain = chainOf(request, earlier)
  const { resolved, failures } = await resolveKnown(wanted.images, request, ports, earlier)
  if (failures.length > 0)
    return { errors: failures.map(({ image, error }) => named(image.reference.text, error)) }
  const number = (earlier.at(-1)?.metadata.sequence_number ?? 0) + 1
  const now = ports.now()
  const plan = planSequence({
    resolved,
    blocked: wanted.blocked,
    earlier,
    chain,
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
  for (const { image, digest, why } of plan.skipped)
    ports.log.warn(`${image}: left ${digest} where it is: ${why}`)
  return { plan, manifests: manifestsOf(resolved) }
}

/** Resolves with the manifests that earlier sequences hold at hand. */
async function resolveKnown(
  images: readonly WantedImage[],
  request: MirrorRequest,
  ports: MirrorPorts,
  earlier: readonly LoadedSequence[],
): ReturnType<typeof resolveImages> {
  const locations = await locateBlobs(earlier)
  const known = sequenceStore([], locations)
  const phase = ports.progress.phase('Resolving', { items: images.length })
  try {
    return await resolveImages(images, {
      parallel: request.parallelImages,
      signatures: request.signatures,
      foreignLayers: request.foreignLayers,
      signal: ports.signal,
      originOf: async (image) => {
        const origin = await ports.originOf(image)
        const isKnown = (digest: string): boolean => locations.has(digest)
        return locations.size === 0
          ? origin
          : { ...origin, source: withKnownManifests(origin.source, isKnown, known) }
      },
      onImage: (image) => phase.finished(image.reference.text),
      onFailure: (image, error) => phase.failed(image.reference.text, error),
    })
  } finally {
    phase.end()
    await known.close()
  }
}

/** Of the options that change what is in a sequence: a run with others is another run. */
export function optionsDigest(request: MirrorRequest): string {
  const { chain, description, site, expiresAs, newBaseline, signatures, foreignLayers, strictArchive } =
    request
  return digestOf(
    JSON.stringify([
      chain,
      description,
      site,
      expiresAs,
      newBaseline,
      signatures,
      foreignLayers,
      strictArchive,
    ]),
  )
}

function chainOf(request: MirrorRequest, earlier: readonly LoadedSequence[]): MirrorPlan['chain'] {
  const known = earlier[0]?.metadata.chain
  if (known !== undefined && request.chain !== undefined && request.chain !== known.name) {
    throw new CarryallError(
      'SEQ_WRONG_CHAIN',
      `${request.content} holds the chain "${known.name}", not "${request.chain}"`,
      {
        expected: request.chain,
        actual: known.name,
        hint: 'Name another --content directory for another chain',
      },
    )
  }
  return known ?? { id: randomUUID(), name: request.chain ?? 'mirror' }
}

function manifestsOf(resolved: readonly ResolvedImage[]): ReadonlyMap<string, Buffer> {
  return new Map(
    resolved.flatMap((image) =>
      image.graph.manifests.map((manifest) => [manifest.digest, manifest.bytes] as const),
    ),
  )
}

/** `YYYYMMDD-HHMM` in UTC: sequences of two sites sort alike. */
function minuteOf(time: Date): string {
  return time.toISOString().replace(/^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d).*$/, '$1$2$3-$4$5')
}

function named(image: string, error: unknown): unknown {
  return error instanceof CarryallError
    ? new CarryallError(error.code, `${image}: ${error.message}`, { ...error.details, cause: error })
    : error
}
