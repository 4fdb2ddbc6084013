import { createHash } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Context } from '@carryall/cli'
import { removeTree } from '@carryall/durable'
import { toJson, type SyncPlan } from '@carryall/schemas'
import type { Shard } from './shard.ts'

/** Journals of earlier runs that are kept in the state directory. */
const KEPT = 200

/** What a plan is known by: the sha256 of its JSON. */
export function planDigestOf(plan: SyncPlan): string {
  return `sha256:${createHash('sha256').update(toJson(plan)).digest('hex')}`
}

/**
 * The journal of a run: the file that was named, or one in the state directory with the name of the plan and its part, so that the
 * same plan finds it again. Old ones of other plans are removed there.
 */
export async function journalPlace(
  context: Pick<Context, 'stateDir' | 'cwd'>,
  named: string | undefined,
  planDigest: string,
  shard: Shard | undefined,
): Promise<string> {
  if (named !== undefined) return resolve(context.cwd, named)
  const directory = join(context.stateDir, 'reg-sync')
  await removeOld(directory)
  const part = shard === undefined ? '' : `-${shard.index}of${shard.count}`
  return join(directory, `${planDigest.slice('sha256:'.length, 'sha256:'.length + 16)}${part}.ndjson`)
}

async function removeOld(directory: string): Promise<void> {
  const names = (await readdir(directory).catch(() => [])).filter((name) => name.endsWith('.ndjson'))
  if (names.length < KEPT) return
  const found = await Promise.all(
    names.map(async (name) => {
      const path = join(directory, name)
      return { path, time: (await stat(path).catch(() => undefined))?.mtimeMs ?? 0 }
    }),
  )
  for (const { path } of found.toSorted((a, b) => b.time - a.time).slice(KEPT - 1)) {
    await removeTree(path)
    await removeTree(`${path}.lock`)
  }
}
