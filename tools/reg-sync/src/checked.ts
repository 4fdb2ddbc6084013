import type { Context, Outcome } from '@carryall/cli'
import type { PlannedSync, SyncedImage, SyncPlan } from '@carryall/schemas'
import { asPlanned } from './as-planned.ts'
import type { SyncFlags } from './command.ts'
import { placeOf } from './ends.ts'
import { errorsOf } from './errors-of.ts'
import { exitOf } from './exit-of.ts'
import type { Follower } from './follow.ts'
import { planDigestOf } from './journal-place.ts'
import type { Ends } from './ports.ts'
import { makeReport } from './report.ts'
import { syncError } from './sync-error.ts'
import { reportTable } from './tables.ts'
import { verifyImages } from './verify-images.ts'
import { chosen } from './verify-mode.ts'

/** `--check`: the report of what was found, with nothing done. */
export async function checked(
  context: Context,
  { verify, 'delete-extra': deleteExtra }: SyncFlags,
  plan: SyncPlan,
  ends: Ends,
  follower: Follower,
  started: Date,
): Promise<Outcome> {
  const same = plan.images.filter(({ state }) => state === 'same')
  const outcomes = new Map<PlannedSync, SyncedImage>()
  // All that belongs to what is the same was asked for while it was compared.
  if (verify.depth === 'deep')
    for (const image of same) outcomes.set(image, { ...asPlanned(image, 'check'), verified: 'deep' })
  if (verify.depth === 'sample') {
    const images = chosen(same, verify, Math.random)
    const phase = context.progress.phase('Verifying', { items: images.length })
    const faults = await verifyImages(images, 'sample', {
      destination: (registry) => ends.look(placeOf(registry)),
      parallel: 8,
      retry: ends.retry,
      signal: context.signal,
      onImage: ({ destination: { repository, tag }, digest }) =>
        phase.finished(`${repository}:${tag ?? digest}`),
    }).finally(() => phase.end())
    for (const image of images) {
      const fault = faults.get(image)
      const found = asPlanned(image, 'check')
      outcomes.set(
        image,
        fault === undefined
          ? { ...found, verified: 'sample' }
          : { ...found, state: 'missing', error: syncError(fault) },
      )
    }
  }
  const report = makeReport({
    plan,
    planDigest: planDigestOf(plan),
    outcomes,
    facts: {
      mode: 'check',
      started,
      ended: context.clock(),
      tool: context.tool,
      blobs: { present: 0, mounted: 0, uploaded: 0, uploadedBytes: 0 },
    },
  })
  follower.end(report)
  const exit = exitOf(report, { deleteExtra })
  return {
    items: [{ document: report, result: { ok: exit === 0, changed: false } }],
    exit,
    errors: errorsOf(report, { deleteExtra }),
    table: () => reportTable(report),
  }
}
