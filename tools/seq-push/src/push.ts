import { CarryallError } from '@carryall/errors'
import type { RetryPolicy } from '@carryall/http'
import { copyImages, pool, type CopyImage, type CopyOutcome, type Destination } from '@carryall/oci'
import { humanSize, type PushReport } from '@carryall/schemas'
import type { Link } from '@carryall/site'
import type { Log, Progress } from '@carryall/cli'
import type { Carried } from './carried.ts'
import { carriedSource } from './carried-source.ts'
import { mayMove, planPush, type PlannedImage } from './plan-push.ts'
import { prove, type Proof } from './prove.ts'
import { requireRoom } from './require-room.ts'
import { expectedOutcomes, explain, pushReport } from './report.ts'
import { referenceOf, targetRepository, type Target } from './target.ts'

export interface PushOptions {
  readonly target: Target
  readonly maxNestedPaths: number
  readonly parallel: number
  readonly dryRun: boolean
  /** The newest that was ever pushed or landed here, where all that is pushed is older: then no tag may move. */
  readonly mark: Link | undefined
  /** Called before the first write. */
  readonly writing: () => Promise<void>
  readonly retry: RetryPolicy
  readonly progress: Progress
  readonly log: Log
  readonly signal: AbortSignal
}

export interface Pushed {
  readonly report: PushReport
  readonly outcomes: ReadonlyMap<CopyImage, CopyOutcome>
}

const NOTHING = { present: 0, mounted: 0, uploaded: 0, uploadedBytes: 0 }

/**
 * Pushes what is carried: asks, proves, then writes. Throws before the first write: SEQ_ROLLBACK (81) where an old sequence
 * would take tags back, SEQ_INCOMPLETE (83) with the missing sequences; DIGEST_MISMATCH (82) where an archive is damaged, with no tag moved.
 */
export async function push(
  carried: Carried,
  destination: Destination,
  options: PushOptions,
): Promise<Pushed> {
  const { target, parallel, signal } = options
  const sizes = new Map(
    [...carried.chain, ...carried.sequences].flatMap((sequence) =>
      sequence.blobs.map((blob) => [blob.digest, blob.size] as const),
    ),
  )
  const sizeOf = (digest: string): number => carried.locations.get(digest)?.size ?? sizes.get(digest) ?? 0
  const planned = await planPush(carried, destination, { ...options, sizeOf })
  refuseRollback(carried, planned, options.mark)
  await nameElsewhere(carried, destination, options)
  const proof = await prove(carried, planned, destination, { parallel, signal })
  refuseIncomplete(proof)
  const todo = planned.filter((image) => image.state === 'absent' || image.state === 'movable')
  if (options.dryRun || todo.length === 0) {
    const outcomes = expectedOutcomes(planned)
    return { report: pushReport(target.text, carried.about, planned, outcomes, NOTHING), outcomes }
  }
  if (target.kind === 'layout') await requireRoom(target.place, todo, destination, signal)
  await options.writing()
  const { outcomes, blobs } = await copy(carried, todo, proof, destination, options)
  const explained = explain(outcomes, todo)
  return { report: pushReport(target.text, carried.about, planned, explained, blobs), outcomes: explained }
}

async function copy(
  carried: Carried,
  todo: readonly PlannedImage[],
  proof: Proof,
  destination: Destination,
  options: PushOptions,
): ReturnType<typeof copyImages> {
  const source = carriedSource(carried, proof.there, destination)
  const bytes = new Map(todo.flatMap((image) => image.blobs.map((blob) => [blob.digest, blob.size] as const)))
  const phase = options.progress.phase('Pushing', {
    items: todo.length,
    bytes: [...bytes.values()].reduce((sum, size) => sum + size, 0),
  })
  const lines = new Map(todo.map((image) => [image as CopyImage, image.line]))
  try {
    return await copyImages(todo, source, destination, {
      parallel: options.parallel,
      signal: options.signal,
      retry: options.retry,
      mayMove: (image, present) => mayMove(carried, lines.get(image)!, present),
      mountFrom: (digest) => proof.there.get(digest),
      onBytes: (count) => phase.advanced(count),
      onImage: (image, outcome) =>
        outcome.outcome === 'failed'
          ? phase.failed(image.name, outcome.error)
          : phase.finished(image.name, outcome.outcome),
    })
  } finally {
    phase.end()
    await source.close()
  }
}

/** An archive of oc-mirror names all that its cache ever held: what is neither here nor there may be in an archive that was left out. */
async function nameElsewhere(
  { elsewhere }: Carried,
  destination: Destination,
  { target, maxNestedPaths, parallel, signal, log }: PushOptions,
): Promise<void> {
  await pool(elsewhere, parallel, signal, async ({ repository, tag, digest }) => {
    const there = targetRepository(target, repository, maxNestedPaths)
    if ((await destination.head(there, tag, signal))?.digest === digest) return
    log.warn(
      `${referenceOf(target, there, tag, digest)} was not pushed: the archives name it, but its manifest is in none of them`,
    )
  })
}

/**
 * By the digests alone one cannot tell a tag that is still where an early sequence put it from one that a late sequence put
 * back there; what this site remembers of the chain tells.
 */
function refuseRollback({ about }: Carried, planned: readonly PlannedImage[], mark: Link | undefined): void {
  const moving = planned.filter((image) => image.state === 'movable')
  const [first] = moving
  const newest = about.sequences.at(-1)
  if (mark === undefined || first === undefined || newest === undefined) return
  throw new CarryallError(
    'SEQ_ROLLBACK',
    `${newest.name} would take ${first.name} back${moving.length > 1 ? `, and ${moving.length - 1} more` : ''}: number ${mark.sequence_number} of this chain was here already`,
    {
      subject: { kind: 'shipment', name: newest.name },
      expected: mark.sequence_number,
      actual: newest.sequence_number,
      hint: `Push number ${mark.sequence_number}, or a newer one`,
    },
  )
}

function refuseIncomplete({ missing, lacking }: Proof): void {
  if (lacking.length === 0) return
  const named = missing.map(
    (one) =>
      `${one.name ?? `sequence ${one.sequence_number}`} (${one.blobs} blobs, ${humanSize(one.size_bytes)})`,
  )
  const what =
    named.length > 0 ? named.join(', ') : `${lacking.length} blobs of other archives, such as ${lacking[0]}`
  throw new CarryallError(
    'SEQ_INCOMPLETE',
    `Nothing was pushed: neither carried nor at the destination: ${what}`,
    {
      subject: { kind: 'shipment', name: missing[0]?.name ?? lacking[0]! },
      expected: 0,
      actual: lacking.length,
      hint:
        named.length > 0
          ? `Carry ${missing.map((one) => one.name ?? `sequence ${one.sequence_number}`).join(' and ')} here and push again`
          : 'Push the earlier archives first',
    },
  )
}
