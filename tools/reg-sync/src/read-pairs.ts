import { resolve } from 'node:path'
import type { Context } from '@carryall/cli'
import { asFlagError, selectTags } from '@carryall/catalog'
import { CarryallError, isCarryallError } from '@carryall/errors'
import type { Image, Listing, SyncConfig } from '@carryall/schemas'
import { readSyncConfig } from './read-sync-config.ts'
import { checkTemplate } from './backup-tag.ts'
import { checkPair } from './check-pair.ts'
import type { EndFlags, PlanFlags } from './command.ts'
import { parseEnd } from './ends.ts'
import { configuredPairs, listedPairs, operandPair, type Pair, type PairDefaults } from './pairs.ts'
import { requireStdin } from './require-stdin.ts'

/** What a run is about: its pairs, and the configuration that they came from. */
export interface Asked {
  readonly pairs: readonly Pair[]
  readonly config?: SyncConfig
  /** What the file names of the configuration are relative to. */
  readonly directory: string
}

/**
 * The pairs of `--config`, of two operands, or of a list of images on stdin (`-`, or nothing, as the source). Throws
 * USAGE_MISSING_OPERAND, USAGE_CONFLICT, USAGE_BAD_VALUE, CONFIG_INVALID, and what reading documents throws.
 */
export async function readPairs(
  context: Context,
  flags: PlanFlags & EndFlags,
  operands: readonly string[],
): Promise<Asked> {
  const now = context.now()
  const defaults = defaultsFrom(flags)
  checkFilters(defaults, now)
  const [first, second] = operands
  if (flags.config !== undefined) {
    if (first !== undefined)
      throw new CarryallError('USAGE_CONFLICT', '--config takes no operands', { actual: first })
    const { config, directory } = await readSyncConfig(context, flags.config, flags)
    const where = { resolve: (path: string) => resolve(directory, path), now, file: flags.config }
    return { pairs: configuredPairs(config, defaults, where), config, directory }
  }
  if (first === undefined)
    throw new CarryallError('USAGE_MISSING_OPERAND', 'No source and no destination are given', {
      hint: 'reg-sync SOURCE DESTINATION, reg-ls … | reg-sync - DESTINATION, or reg-sync -c FILE',
    })
  const inWork = (path: string): string => resolve(context.cwd, path)
  const source = second === undefined || first === '-' ? undefined : parseEnd(first, inWork)
  const destination = parseEnd(second ?? first, inWork)
  const pairs =
    source === undefined
      ? listedPairs(await readList(context, flags), destination, defaults, inWork)
      : [operandPair(source, destination, defaults)]
  for (const pair of pairs) checkPair(pair, now)
  return { pairs, directory: context.cwd }
}

async function readList(context: Context, flags: EndFlags): Promise<Parameters<typeof listedPairs>[0]> {
  requireStdin('the list of images', flags)
  const images: Image[] = []
  const cut = new Set<string>()
  for await (const { document } of context.documents(['-'], ['Image', 'Listing']))
    if (document.kind === 'Image') images.push(document as Image)
    else if (!(document as Listing).complete) cut.add((document as Listing).registry)
  return { images, cut }
}

/** Before anything is asked: what makes no sense was wrong in its flag. */
function checkFilters({ tags, backup }: PairDefaults, now: Date): void {
  try {
    selectTags([], tags, now)
  } catch (error) {
    throw asFlagError(error)
  }
  try {
    if (backup !== undefined) checkTemplate(backup)
  } catch (error) {
    if (!isCarryallError(error)) throw error
    const subject = { kind: 'flag', name: 'backup' } as const
    throw new CarryallError('USAGE_BAD_VALUE', `Flag --backup: ${error.message}`, {
      ...error.details,
      subject,
    })
  }
}

function defaultsFrom(flags: PlanFlags): PairDefaults {
  const tags = present({
    include: some(flags.tag),
    exclude: some(flags['exclude-tag']),
    regex: flags['tag-regex'],
    semver: flags.semver,
    newest: flags.newest,
    changed_since: flags['changed-since'],
  })
  const repositories = present({
    include: some(flags.repository),
    exclude: some(flags['exclude-repository']),
  })
  return {
    repositories,
    tags,
    policies: flags.policy,
    backup: flags.backup,
    platforms: flags.platform,
    attachments: flags.attachments ? undefined : false,
    api: flags['src-api'],
    destinationApi: flags['dest-api'],
  }
}

const some = (patterns: readonly string[]): string[] | undefined =>
  patterns.length === 0 ? undefined : [...patterns]

/** Without its absent keys; undefined where there is no other. */
function present<T extends object>(table: T): { [K in keyof T]?: Exclude<T[K], undefined> } | undefined {
  const entries = Object.entries(table).filter(([, value]) => value !== undefined)
  return entries.length === 0
    ? undefined
    : (Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> })
}
