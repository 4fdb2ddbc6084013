import { resolve } from 'node:path'
import type { Context, Outcome, Table } from '@carryall/cli'
import { CarryallError } from '@carryall/errors'
import type { Destination } from '@carryall/oci'
import { humanSize, type PushReport } from '@carryall/schemas'
import { auditHead } from '@carryall/site'
import { readTrust, type Signer } from '@carryall/trust'
import { admit } from './admit.ts'
import { auditor } from './auditor.ts'
import { readCarried, type Carried } from './carried.ts'
import type { PushFlags } from './command.ts'
import { connect } from './connect.ts'
import { push } from './push.ts'
import { makeReceipt } from './receipt.ts'
import { errorsOf, exitOf } from './report.ts'
import { parseTarget, targetRepository, type Target } from './target.ts'
import { receiptSigner, writeReceipt } from './write-receipt.ts'

/** `seq-push`: reads what is carried, judges it, pushes it, records that, writes the receipt. */
export async function run(context: Context, flags: PushFlags, operands: readonly string[]): Promise<Outcome> {
  const target = parseTarget(operands.at(-1)!)
  const trust = await readTrust({
    ...(flags.trust === undefined ? {} : { path: resolve(context.cwd, flags.trust) }),
    etc: context.etc,
    now: context.clock(),
  })
  const carried = await readCarried(context, operands.slice(0, -1), flags.content)
  refuseUseless(flags, carried)
  const signer = await receiptSigner(context, flags)
  const site = flags.site ?? trust?.site
  const audit = auditor(context, carried, target.text)
  const stores = await connect(context, flags, target)
  try {
    const parallel = Math.min(64, flags['parallel-images'] * flags['parallel-layers'])
    const { report, outcomes, destination } = await audit.watch(async () => {
      const admission = await admit(carried, context, { trust, site, allowExpired: flags['allow-expired'] })
      const destination =
        target.kind === 'registry'
          ? stores.registry(target.place)
          : await stores.layout(target.place, {
              write: !context.dryRun,
              waitSeconds: context.waitSeconds,
              holder: context.tool.name,
              signal: context.signal,
            })
      const pushed = await push(admission.carried, destination, {
        target,
        maxNestedPaths: flags['max-nested-paths'],
        parallel,
        dryRun: context.dryRun,
        mark: admission.older,
        writing: () => audit.writing(),
        retry: stores.retry,
        progress: context.progress,
        log: context.log,
        signal: context.signal,
      })
      if (pushed.report.totals.failed === 0 && !context.dryRun) await admission.remember()
      return { ...pushed, destination }
    })
    if (flags.receipt !== undefined && !context.dryRun)
      await answer(context, flags, { carried, destination, target, parallel, site, signer })
    const errors = errorsOf(report, outcomes)
    const result = {
      ok: errors.length === 0,
      changed: report.totals.pushed + report.totals.moved > 0,
      ...(flags.receipt === undefined ? {} : { receipt: flags.receipt }),
    }
    return {
      items: [{ document: report, result }],
      exit: exitOf(report, errors),
      errors,
      table: () => table(report),
    }
  } finally {
    await stores.close()
  }
}

function refuseUseless(flags: PushFlags, { sequences }: Carried): void {
  if (flags.receipt !== undefined && sequences.length === 0) {
    throw new CarryallError(
      'USAGE_CONFLICT',
      '--receipt needs sequences: archives without metadata belong to no chain',
    )
  }
  if (flags['sign-key'] !== undefined && flags.receipt === undefined)
    throw new CarryallError('USAGE_CONFLICT', '--sign-key signs receipts: --receipt FILE is missing')
}

interface Answered {
  readonly carried: Carried
  readonly destination: Destination
  readonly target: Target
  readonly parallel: number
  readonly site: string | undefined
  readonly signer: Signer | undefined
}

/** The receipt, asked of the destination after all was pushed. */
async function answer(
  context: Context,
  flags: PushFlags,
  { carried, destination, target, parallel, site, signer }: Answered,
): Promise<void> {
  const head = await auditHead(context.stateDir)
  const receipt = await makeReceipt(carried, destination, {
    site: site ?? target.place,
    now: context.now(),
    tool: context.tool,
    parallel,
    signal: context.signal,
    ...(head === undefined ? {} : { auditHead: head }),
    repositoryOf: (repository) => targetRepository(target, repository, flags['max-nested-paths']),
  })
  await writeReceipt(resolve(context.cwd, flags.receipt!), receipt, signer)
}

function table(report: PushReport): Table {
  const { totals } = report
  return {
    columns: ['OUTCOME', 'IMAGE', 'DIGEST'],
    rows: report.images.map((image) => [
      image.outcome,
      image.reference.replace(/@sha256:.*/, ' (attached)'),
      image.digest,
    ]),
    notes: [
      `${totals.pushed} pushed, ${totals.moved} moved, ${totals.same} the same, ${totals.conflicts} in conflict, ${totals.failed} failed; ${humanSize(totals.uploaded_bytes)} sent`,
      ...(totals.conflicts + totals.failed === 0 ? ['All digests equal'] : []),
    ],
  }
}
