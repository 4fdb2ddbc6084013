import { CarryallError, errorObject, Exit, isCarryallError, strongest, type ExitCode } from '@carryall/errors'
import type { CopyImage, CopyOutcome } from '@carryall/oci'
import { API_VERSION, type PushedImage, type PushReport } from '@carryall/schemas'
import type { PlannedImage } from './plan-push.ts'

export interface BlobTotals {
  readonly present: number
  readonly mounted: number
  readonly uploaded: number
  readonly uploadedBytes: number
}

/** The report of a push, or with `outcomes` made up by `expectedOutcomes` of one that is only planned. Pure. */
export function pushReport(
  destination: string,
  about: Pick<PushReport, 'chain' | 'sequences'>,
  planned: readonly PlannedImage[],
  outcomes: ReadonlyMap<CopyImage, CopyOutcome>,
  blobs: BlobTotals,
): PushReport {
  const images = planned.map((image) => pushedImage(image, outcomes.get(image)))
  const count = (outcome: PushedImage['outcome']): number =>
    images.filter((image) => image.outcome === outcome).length
  return {
    apiVersion: API_VERSION,
    kind: 'PushReport',
    destination,
    ...about,
    totals: {
      images: images.length,
      same: count('same'),
      pushed: count('pushed'),
      moved: count('moved'),
      conflicts: count('conflict'),
      failed: count('failed'),
      blobs_present: blobs.present,
      blobs_mounted: blobs.mounted,
      blobs_uploaded: blobs.uploaded,
      uploaded_bytes: blobs.uploadedBytes,
    },
    images,
  }
}

/** What a push of these images would come to. */
export function expectedOutcomes(planned: readonly PlannedImage[]): ReadonlyMap<CopyImage, CopyOutcome> {
  return new Map(
    planned.flatMap((image): [CopyImage, CopyOutcome][] => {
      if (image.state === 'absent') return [[image, { outcome: 'pushed' }]]
      return image.state === 'movable' ? [[image, { outcome: 'moved', previous: image.present! }]] : []
    }),
  )
}

/** Adds what the registry cannot know: an index of which only some platforms are carried is refused by many. */
export function explain(
  outcomes: ReadonlyMap<CopyImage, CopyOutcome>,
  planned: readonly PlannedImage[],
): ReadonlyMap<CopyImage, CopyOutcome> {
  const sparse = new Set<CopyImage>(planned.filter((image) => image.line.sparse))
  return new Map(
    [...outcomes].map(([image, outcome]) => {
      if (
        outcome.outcome !== 'failed' ||
        !sparse.has(image) ||
        !isCarryallError(outcome.error, 'REG_REFUSED')
      )
        return [image, outcome]
      const { code, message, details } = outcome.error
      const hint =
        'The index is sparse: not all of its platforms are carried. Allow that at the registry, or mirror the image without "platforms"'
      return [
        image,
        {
          outcome: 'failed',
          error: new CarryallError(code, message, { ...details, hint, cause: outcome.error }),
        },
      ]
    }),
  )
}

/** 0 where all is there; 84 for tags that differ; 1 where some failed, the reason's own code where all did. */
export function exitOf(report: PushReport, errors: readonly unknown[]): ExitCode {
  const { totals } = report
  const conflict = totals.conflicts > 0 ? [Exit.CONFLICT] : []
  if (totals.failed === 0) return strongest(conflict)
  const reasons = errors.flatMap((error) => (error instanceof CarryallError ? [error.exit] : [Exit.SOFTWARE]))
  return strongest([...conflict, ...(totals.failed < totals.images ? [Exit.PARTIAL] : reasons)])
}

/** One error for each image that did not arrive. */
export function errorsOf(
  report: PushReport,
  outcomes: ReadonlyMap<CopyImage, CopyOutcome>,
): readonly unknown[] {
  const failed = [...outcomes.values()].flatMap((outcome) =>
    outcome.outcome === 'failed' ? [outcome.error] : [],
  )
  const conflicts = report.images
    .filter((image) => image.outcome === 'conflict')
    .map(
      (image) =>
        new CarryallError(
          'TAG_CONFLICT',
          `${image.reference} holds ${image.previous_digest}, which no earlier sequence of this chain put there`,
          {
            subject: { kind: 'tag', name: image.reference, digest: image.digest },
            expected: image.digest,
            actual: image.previous_digest ?? 'nothing',
            hint: 'It was left as it is. Delete or rename the tag at the destination if it may go, then push again',
          },
        ),
    )
  return [...failed, ...conflicts]
}

function pushedImage(image: PlannedImage, outcome: CopyOutcome | undefined): PushedImage {
  const base = { reference: image.name, digest: image.digest }
  if (outcome === undefined) {
    return image.state === 'same'
      ? { ...base, outcome: 'same' }
      : {
          ...base,
          outcome: 'conflict',
          ...(image.present === undefined ? {} : { previous_digest: image.present }),
        }
  }
  if (outcome.outcome === 'failed') {
    const { code, message } = errorObject(outcome.error)
    return { ...base, outcome: 'failed', error: { code, message } }
  }
  return {
    ...base,
    outcome: outcome.outcome,
    ...('previous' in outcome ? { previous_digest: outcome.previous } : {}),
  }
}
