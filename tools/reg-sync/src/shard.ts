import { hash } from 'node:crypto'
import { badValue } from '@carryall/cli'
import type { SyncReport } from '@carryall/schemas'

/** A part of a plan: number `index`, from 1, of `count`. */
export type Shard = NonNullable<SyncReport['shards']>[number]

/** 48 bits: a number that JavaScript holds exactly. */
const HEX = 12

/**
 * True where a repository of the destination belongs to this part. It follows from the name alone, on every machine and for ever:
 * the first 48 bits of its sha256, modulo the number of parts.
 */
export function inShard(repository: string, { index, count }: Shard): boolean {
  return Number.parseInt(hash('sha256', repository).slice(0, HEX), 16) % count === index - 1
}

/** `2/4`: the second of four. Throws USAGE_BAD_VALUE. */
export function parseShard(text: string): Shard {
  const [, index, count] = (/^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? []).map(Number)
  if (index === undefined || count === undefined || index < 1 || index > count)
    throw badValue(text, 'I/N with I from 1 to N, such as 2/4')
  return { index, count }
}

/**
 * The part that `--shard I/N` names, or `--shard /N` in a pod of an Indexed Job, whose index, from 0, Kubernetes puts into
 * JOB_COMPLETION_INDEX. Undefined without the flag. Throws USAGE_BAD_VALUE.
 */
export function shardOf(
  flag: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Shard | undefined {
  if (flag === undefined) return undefined
  if (!flag.startsWith('/')) return parseShard(flag)
  const completion = env['JOB_COMPLETION_INDEX']
  if (completion === undefined || !/^\d{1,6}$/.test(completion))
    throw badValue(flag, `a number from 0 in JOB_COMPLETION_INDEX, which is "${completion ?? ''}", or I/N`)
  return parseShard(`${Number(completion) + 1}${flag}`)
}
