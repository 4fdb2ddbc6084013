import { resolve } from 'node:path'
import type { Context } from '@carryall/cli'
import { CarryallError } from '@carryall/errors'
import type { Image, SyncConfig } from '@carryall/schemas'
import { readSyncConfig } from './read-sync-config.ts'
import type { PlanFlags } from './command.ts'
import { parseEnd } from './ends.ts'
import { configuredPairs, listedPairs, operandPair, type Pair, type PairDefaults } from './pairs.ts'
import { parsePolicy } from './policy.ts'

/** What a run is about: its pairs, and the configuration that they came from. */
export interface Asked {
  readonly pairs: readonly Pair[]
  readonly config?: SyncConfig
  /** What the file names of the configuration are relative to. */
  readonly directory: string
}

/**
 * The pairs of `--config`, of two operands, or of a list of images on stdin (`-`, or nothing, as the source). Throws
 * USAGE_MISSING_OPERAND, USAGE_CONFLICT, USAGE_BAD_VALUE, and what reading documents throws.
 */
export async function readPairs(
  context: Context,
  flags: PlanFlags,
  operands: readonly string[],
): Promise<Asked> {
  const inWork = (path: string): string => resolve(context.cwd, path)
  const defaults = defaultsFrom(flags)
  const config = flags.config
  if (config !== undefined) {
    if (operands.length > 0)
      throw new CarryallError('USAGE_CONFLICT', '--config takes no operands', { actual: operands[0]! })
    return readConfig(context, config, defaults)
  }
  const [first, second] = operands
  if (first === undefined)
    throw new CarryallError('USAGE_MISSING_OPERAND', 'No source and no destination are given', {
      hint: 'reg-sync SOURCE DESTINATION, reg-ls … | reg-sync - DESTINATION, or reg-sync -c FILE',
    })
  const destination = parseEnd(second ?? first, inWork)
  if (second !== undefined && first !== '-')
    return { pairs: [operandPair(parseEnd(first, inWork), destination, defaults)], directory: context.cwd }
  const images: Image[] = []
  for await (const { document } of context.documents(['-'], ['Image', 'Listing']))
    if (document.kind === 'Image') images.push(document as Image)
  return { pairs: listedPairs(images, destination, defaults, inWork), directory: context.cwd }
}

async function readConfig(context: Context, path: string, defaults: PairDefaults): Promise<Asked> {
  const { config, directory } = await readSyncConfig(context, path)
  return { pairs: configuredPairs(config, defaults, (place) => resolve(directory, place)), config, directory }
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
    policies: flags.policy.map(parsePolicy).map(([pattern, policy]) => ({ [pattern]: policy })),
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
