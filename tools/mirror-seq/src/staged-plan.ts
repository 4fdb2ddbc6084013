import { lstat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { commitFile } from '@carryall/durable'
import { CarryallError, Exit, isCarryallError } from '@carryall/errors'
import {
  mirrorPlanKind,
  parseKind,
  readDocuments,
  toJson,
  type HeldBlob,
  type MirrorPlan,
} from '@carryall/schemas'
import type { Location } from '@carryall/sequence'
import { digestOf, readSmall } from '@carryall/shipment'

const PLAN = 'plan.json'
const MAX_PLAN = 512 * 1024 * 1024

/** Name of the staging directory of a run: the same command on the same chain finds it again. */
export function stagingId(parts: {
  readonly previous: string | undefined
  readonly configDigest: string
  readonly optionsDigest: string
}): string {
  return digestOf(toJson([parts.previous ?? 'none', parts.configDigest, parts.optionsDigest])).slice(
    'sha256:'.length,
    'sha256:'.length + 16,
  )
}

/** The plan that a former run began with; undefined where there is none, or none that is valid. Throws IO_FAILED and the like: a plan that cannot be read now may be read later. */
export async function readStagedPlan(staging: string): Promise<MirrorPlan | undefined> {
  const file = join(staging, PLAN)
  try {
    return parseKind(mirrorPlanKind, readDocuments(await readSmall(file, MAX_PLAN), file)[0], file)
  } catch (error) {
    if (isCarryallError(error) && (error.exit === Exit.NOINPUT || error.exit === Exit.DATA)) return undefined
    throw error
  }
}

/** Keeps the plan, with its pinned digests: a tag that moves cannot move an offset when the run is taken up again. */
export async function writeStagedPlan(staging: string, plan: MirrorPlan): Promise<void> {
  await commitFile(join(staging, PLAN), `${toJson(plan)}\n`)
}

/** Where other runs' staging may hold blobs; each is proven by its digest before it is used. */
export async function leftBlobs(
  stagings: readonly string[],
): Promise<ReadonlyMap<string, Pick<Location, 'file' | 'offset' | 'size'>>> {
  const left = new Map<string, Pick<Location, 'file' | 'offset' | 'size'>>()
  for (const staging of stagings) {
    const plan = await readStagedPlan(staging)
    const held = (plan?.blobs ?? []).filter((blob): blob is HeldBlob => 'archive' in blob)
    for (const blob of held)
      left.set(blob.digest, {
        file: join(staging, 'tree', blob.archive),
        offset: blob.offset,
        size: blob.size,
      })
  }
  return left
}

/** Those of other runs that nothing can go on from: their number is taken, as where a run was cut right after it published. */
export async function spentStagings(stagings: readonly string[], newest: number): Promise<readonly string[]> {
  const spent: string[] = []
  for (const staging of stagings)
    if (((await readStagedPlan(staging))?.sequence_number ?? 0) <= newest) spent.push(staging)
  return spent
}

/** Refuses before the first byte what cannot fit beside what is in `tree` already. */
export async function requireSpace(tree: string, plan: MirrorPlan): Promise<void> {
  const { bavail, bsize } = await statfs(tree)
  const available = bavail * bsize
  let needed = 0
  for (const { name, size_bytes } of plan.archives) {
    const present = await lstat(join(tree, name)).catch(() => undefined)
    needed += Math.max(0, size_bytes - (present?.blocks ?? 0) * 512)
  }
  if (needed <= available) return
  throw new CarryallError(
    'IO_NO_SPACE',
    `The sequence needs ${needed} bytes more in ${tree}; ${available} are free`,
    {
      expected: needed,
      actual: available,
      hint: 'Free space there, or name a --content directory on a larger file system',
    },
  )
}
