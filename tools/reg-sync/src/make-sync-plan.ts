import type { Context } from '@carryall/cli'
import type { SyncEvent, SyncPlan } from '@carryall/schemas'
import { discoveryEvent, type LogEvent } from './events.ts'
import { gather } from './gather.ts'
import { makePlan, type Findings } from './make-plan.ts'
import type { Pair } from './pairs.ts'
import type { Ends } from './ports.ts'

/** Requests at once while two sides are compared. */
const PARALLEL = 16

/** Compares the pairs, one after the other, and makes the plan that follows. Writes nothing. */
export async function makeSyncPlan(
  context: Context,
  pairs: readonly Pair[],
  ends: Ends,
  options: {
    readonly deleteExtra: boolean
    readonly deep: boolean
    readonly rate: number | undefined
    readonly tell?: (event: LogEvent) => void
    readonly brought?: ReadonlyMap<string, SyncEvent> | undefined
  },
): Promise<SyncPlan> {
  const findings: Findings[] = []
  for (const pair of pairs)
    findings.push(
      await gather(pair, {
        ends,
        parallel: PARALLEL,
        deep: options.deep,
        now: context.clock(),
        ...(options.brought === undefined ? {} : { brought: options.brought }),
        log: context.log,
        phase: (title, items) => context.progress.phase(title, items === undefined ? {} : { items }),
        signal: context.signal,
        onListed(repositories, images) {
          const event = discoveryEvent(pair.source.text, repositories, images)
          options.tell?.(event)
          context.log.info(event.message)
        },
      }),
    )
  return makePlan(findings, { now: context.now(), tool: context.tool, ...options })
}
