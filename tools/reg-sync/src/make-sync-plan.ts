import type { Context } from '@carryall/cli'
import { isCarryallError } from '@carryall/errors'
import type { SyncEvent, SyncPlan } from '@carryall/schemas'
import type { End } from './ends.ts'
import { discoveryEvent, failureEvent, loginEvent, type LogEvent } from './events.ts'
import { knowsExtra } from './find-extra.ts'
import { gather } from './gather.ts'
import { makePlan, type Findings } from './make-plan.ts'
import type { Pair } from './pairs.ts'
import type { Ends } from './ports.ts'
import { syncError } from './sync-error.ts'

/** Requests at once while two sides are compared. */
const PARALLEL = 16

/**
 * Compares the pairs, one after the other, and makes the plan that follows. Writes nothing. One of several that cannot be compared does
 * not hold up the others.
 */
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
  const tell = options.tell ?? (() => undefined)
  const known = new Set<string>()
  const loggedIn = async (side: 'src' | 'dest', { kind, place }: End): Promise<void> => {
    if (kind === 'registry' && !known.has(place) && (await ends.hasAccount(side, place)))
      tell(loginEvent(known.add(place) && place))
  }
  for (const pair of pairs) {
    if (options.deleteExtra && !knowsExtra(pair))
      context.log.warn(
        `Nothing is deleted in ${pair.destination.text}: what is extra cannot be told where only some of the source is looked at`,
      )
    try {
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
          async onListed(repositories, images) {
            await loggedIn('src', pair.source)
            const event = discoveryEvent(pair.source.text, repositories, images)
            tell(event)
            context.log.info(event.message)
          },
        }),
      )
      await loggedIn('dest', pair.destination)
    } catch (error) {
      // Another pair may have other registries.
      if (pairs.length === 1 || context.signal.aborted || !isCarryallError(error)) throw error
      tell(failureEvent(syncError(error), 'listing'))
      findings.push(notCompared(pair, error))
    }
  }
  return makePlan(findings, { now: context.now(), tool: context.tool, ...options })
}

function notCompared(pair: Pair, error: unknown): Findings {
  return {
    pair,
    about: {
      source: pair.source.text,
      destination: pair.destination.text,
      source_api: 'list',
      destination_api: 'list',
      source_complete: false,
      destination_complete: false,
      attachments: pair.attachments,
      error: syncError(error),
    },
    images: [],
    extra: [],
    names: new Set(),
  }
}
