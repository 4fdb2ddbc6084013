import type { Context, Outcome } from '@carryall/cli'
import { CarryallError } from '@carryall/errors'
import type { SyncPlan } from '@carryall/schemas'
import { carryOut } from './carry-out.ts'
import { checkPlan } from './check-plan.ts'
import type { ApplyFlags, EndFlags } from './command.ts'
import { placeOf } from './ends.ts'
import { follow } from './follow.ts'
import { settingsOf } from './limits.ts'
import { openEnds } from './open-ends.ts'
import { planItem, planTable } from './run-plan.ts'
import { readSyncConfig } from './read-sync-config.ts'
import { requireStdin } from './require-stdin.ts'
import { shardOf } from './shard.ts'

type Flags = ApplyFlags & EndFlags & Readonly<Record<'shard' | 'retry-failed' | 'config', string | undefined>>

/** `reg-sync apply`: does what a plan says, all of it or one part. */
export async function runApply(
  context: Context,
  flags: Flags,
  operands: readonly string[],
): Promise<Outcome> {
  const started = context.clock()
  const shard = shardOf(flags.shard, context.env)
  if ((operands[0] ?? '-') === '-') requireStdin('the plan', flags)
  const plans = await Array.fromAsync(context.documents(operands, ['SyncPlan']))
  const [first, second] = plans
  if (first === undefined || second !== undefined)
    throw new CarryallError('SCHEMA_INVALID', `${plans.length} plans are given; one is wanted`)
  const plan = first.document as SyncPlan
  checkPlan(plan)
  if (context.dryRun) return { items: [planItem(plan)], table: () => planTable(plan) }
  const { config, directory } =
    flags.config === undefined
      ? { directory: context.cwd }
      : await readSyncConfig(context, flags.config, flags)
  await using follower = await follow(context, flags, plan.pairs)
  try {
    const settings = settingsOf(config, directory, flags)
    await using ends = await openEnds(context, flags, hostsIn(plan), settings)
    return await carryOut(context, flags, plan, ends, follower, {
      started,
      fresh: false,
      shard,
      parallelImages: flags['parallel-images'] ?? config?.defaults?.parallel_images ?? 8,
      imageTimeoutMs: (flags['image-timeout'] ?? config?.defaults?.image_timeout_seconds ?? 0) * 1000,
      retryFailed: flags['retry-failed'],
    })
  } catch (error) {
    follower.failed(error)
    throw error
  }
}

function hostsIn({ images }: SyncPlan): {
  readonly src: readonly string[]
  readonly dest: readonly string[]
} {
  const hosts = (registries: Iterable<string>): readonly string[] =>
    [...new Set(registries)].filter((registry) => placeOf(registry).kind === 'registry')
  return {
    src: hosts(images.flatMap(({ source }) => (source === undefined ? [] : [source.registry]))),
    dest: hosts(images.map(({ destination }) => destination.registry)),
  }
}
