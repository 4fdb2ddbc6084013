import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface StagedBlobs {
  /** Digests that the plan in staging gives a place; none where there is no plan. */
  readonly planned: ReadonlySet<string>
  /** Those of them whose bytes are all in their place. */
  readonly whole: ReadonlySet<string>
}

interface Plan {
  readonly blobs: readonly { digest: string; size: number; archive?: string; offset?: number }[]
}

/** What a run that was cut has left in staging, read without the product. */
export async function stagedBlobs(content: string): Promise<StagedBlobs> {
  const root = join(content, '.carryall', 'staging')
  const planned = new Set<string>()
  const whole = new Set<string>()
  for (const name of await readdir(root).catch(() => [])) {
    const plan = await readFile(join(root, name, 'plan.json'), 'utf8').catch(() => '{"blobs":[]}')
    for (const { digest, size, archive, offset } of (JSON.parse(plan) as Plan).blobs) {
      if (archive === undefined || offset === undefined) continue
      planned.add(digest)
      const bytes = await readFile(join(root, name, 'tree', archive)).catch(() => Buffer.alloc(0))
      const found = createHash('sha256').update(bytes.subarray(offset, offset + size))
      if (`sha256:${found.digest('hex')}` === digest) whole.add(digest)
    }
  }
  return { planned, whole }
}
