import type { Dirent } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Phase } from '@carryall/cli'
import { publishDirectory, removeTree } from '@carryall/durable'
import { CarryallError, fromSystemError, isCarryallError } from '@carryall/errors'
import { formatSums, hashFile, SUMS_FILE } from '@carryall/shipment'
import type { Encryptor, Signer } from '@carryall/trust'
import { dropPages } from './drop-pages.ts'
import { sha256 } from './hashed.ts'
import { inParallel } from './in-parallel.ts'
import { writeSmall } from './stage-volume.ts'
import type { StagingTree } from './staging-tree.ts'
import { syncStaged } from './sync-staged.ts'
import type { VolumeJob } from './volume-job.ts'

const READ_AT_ONCE = 4

export interface PublishPorts {
  readonly signers: readonly Signer[]
  readonly encryptor?: Encryptor | undefined
  /** Read everything back from the medium first. */
  readonly verify: boolean
  readonly signal: AbortSignal
  readonly phase: Phase
}

/**
 * Completes a staged volume (description, sums, signatures of the sums), makes it durable and gives it its name by one rename. What
 * is there under the name goes only then. Gives back the bytes of its `SHA256SUMS`. Throws DIGEST_MISMATCH (82) where the
 * medium does not give back what was written, IO_FAILED, and what signing throws.
 */
export async function publishVolume(
  job: VolumeJob,
  places: { readonly tree: StagingTree; readonly final: string },
  content: ReadonlyMap<string, string>,
  ports: PublishPorts,
): Promise<Buffer> {
  const { tree, final } = places
  const sums = new Map(content)
  sums.set(job.description.stored, await writeSmall(tree, job.description, ports.encryptor))
  const text = sumsText(sums)
  const own = new Map([[SUMS_FILE, text], ...(await signatures(text, ports.signers))])
  for (const [stored, bytes] of own) {
    await writeSmall(tree, { stored, bytes, encrypted: false }, undefined)
    sums.set(stored, sha256(bytes))
  }
  await removeStrays(tree.path, sums.keys())
  try {
    await syncStaged(tree.path, ports.signal)
    if (ports.verify) await readBack(tree, sums, ports)
    await removeTree(final)
    await publishDirectory(tree.path, final)
  } catch (error) {
    // Where a sync failed the cache may show what the medium never got, and no later sync would tell.
    if (isCarryallError(error, 'IO_FAILED', 'IO_NO_SPACE')) await removeTree(tree.path).catch(() => undefined)
    throw error
  }
  return text
}

/** `SHA256SUMS` of these files. */
export function sumsText(sums: ReadonlyMap<string, string>): Buffer {
  return Buffer.from(formatSums([...sums].map(([path, sum]) => ({ path, sha256: sum }))))
}

/** The file of each signature over the sums, by name. */
export async function signatures(
  sums: Buffer,
  signers: readonly Signer[],
): Promise<readonly (readonly [string, Buffer])[]> {
  const files: (readonly [string, Buffer])[] = []
  for (const signer of signers)
    files.push([`${SUMS_FILE}.${signer.fingerprint}.asc`, await signer.sign(sums)])
  return files
}

/** What a run left that had something else to write. */
async function removeStrays(staged: string, files: Iterable<string>): Promise<void> {
  const named = new Set(files)
  for (const file of [...named]) for (let at = dirname(file); at !== '.'; at = dirname(at)) named.add(at)
  const pending = ['']
  for (let below = pending.pop(); below !== undefined; below = pending.pop())
    for (const entry of await entriesOf(join(staged, below))) {
      const path = join(below, entry.name)
      if (!named.has(path)) await removeTree(join(staged, path))
      else if (entry.isDirectory()) pending.push(path)
    }
}

async function entriesOf(directory: string): Promise<readonly Dirent[]> {
  try {
    return await readdir(directory, { withFileTypes: true })
  } catch (error) {
    throw fromSystemError(error, `read ${directory}`, { subject: { kind: 'file', name: directory } })
  }
}

async function readBack(
  tree: StagingTree,
  sums: ReadonlyMap<string, string>,
  { signal, phase }: PublishPorts,
): Promise<void> {
  await inParallel(sums, READ_AT_ONCE, async ([stored, expected]) => {
    const path = tree.pathOf(stored)
    await dropPages(path, signal)
    const { sha256: actual } = await hashFile(path, { signal, onBytes: (count) => phase.advanced(count) })
    if (actual !== expected) throw badMedium(path, expected, actual)
  })
}

function badMedium(path: string, expected: string, actual: string): CarryallError {
  return new CarryallError('DIGEST_MISMATCH', `The medium does not give back what was written: ${path}`, {
    subject: { kind: 'file', name: path },
    expected,
    actual,
    hint: 'Use another medium: this one is damaged, or smaller than it says',
  })
}
