import type { Context, Outcome, Table } from '@carryall/cli'
import { commitFile } from '@carryall/durable'
import { CarryallError } from '@carryall/errors'
import { connectStores } from '@carryall/oci'
import { humanSize, toPrettyJson, type PushReport } from '@carryall/schemas'
import type { PushFlags } from './command.ts'
import { readCarried } from './carried.ts'
import { push } from './push.ts'
import { makeReceipt } from './receipt.ts'
import { refuseUnfit } from './refuse-unfit.ts'
import { errorsOf, exitOf } from './report.ts'
import { parseTarget, targetRepository } from './target.ts'

/** `seq-push`: reads what is carried, pushes it, writes the receipt. */
export async function run(context: Context, flags: PushFlags, operands: readonly string[]): Promise<Outcome> {
  const target = parseTarget(operands.at(-1)!)
  const carried = await readCarried(context, operands.slice(0, -1), flags.content)
  refuseUnfit(carried.sequences, flags.site, context.now())
  if (flags.receipt !== undefined && carried.sequences.length === 0) {
    throw new CarryallError(
      'USAGE_CONFLICT',
      '--receipt needs sequences: archives without metadata belong to no chain',
    )
  }
  const stores = await connectStores({
    env: context.env,
    userAgent: `${context.tool.name}/${context.tool.version}`,
    authfile: flags['dest-authfile'],
    caFile: flags['dest-ca-file'],
    tlsVerify: flags['dest-tls-verify'],
    plainHttp: flags['plain-http'],
    allowedRealms: flags['allow-realm'],
    retry: {
      times: flags['retry-times'],
      delayMs: flags['retry-delay'] * 1000,
      onRetry: ({ error, delayMs }) => context.log.debug(`Trying again in ${delayMs} ms: ${error.message}`),
    },
  })
  try {
    const layout = {
      write: !context.dryRun,
      waitSeconds: context.waitSeconds,
      holder: context.tool.name,
      signal: context.signal,
    }
    const destination =
      target.kind === 'registry' ? stores.registry(target.place) : await stores.layout(target.place, layout)
    const parallel = Math.min(64, flags['parallel-images'] * flags['parallel-layers'])
    const { report, outcomes } = await push(carried, destination, {
      target,
      maxNestedPaths: flags['max-nested-paths'],
      parallel,
      dryRun: context.dryRun,
      retry: stores.retry,
      progress: context.progress,
      log: context.log,
      signal: context.signal,
    })
    if (flags.receipt !== undefined && !context.dryRun) {
      const receipt = await makeReceipt(carried.chain, destination, {
        site: flags.site ?? target.place,
        now: context.now(),
        tool: context.tool,
        parallel,
        signal: context.signal,
        repositoryOf: (repository) => targetRepository(target, repository, flags['max-nested-paths']),
      })
      await commitFile(flags.receipt, `${toPrettyJson(receipt)}\n`)
    }
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
