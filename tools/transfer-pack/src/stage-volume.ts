import type { Phase } from '@carryall/cli'
import type { VolumeEntry } from '@carryall/schemas'
import { humanSize } from '@carryall/schemas'
import { SUMS_FILE } from '@carryall/shipment'
import type { Encryptor } from '@carryall/trust'
import type { EntryWriter } from './entry-writer.ts'
import { once, sha256 } from './hashed.ts'
import { inParallel } from './in-parallel.ts'
import { pump } from './pump.ts'
import type { StagingTree } from './staging-tree.ts'
import type { SmallFile, VolumeJob } from './volume-job.ts'

/** Up to here a file costs more time to open than to copy, so that several are under way. */
const SMALL_BYTES = 2 ** 20
const SMALL_AT_ONCE = 16

export interface StagePorts {
  readonly writer: EntryWriter
  readonly encryptor?: Encryptor | undefined
  readonly phase: Phase
}

export interface StagedContent {
  /** sha256 (hex) of each file by its path on the volume. */
  readonly sums: ReadonlyMap<string, string>
  /** Parts that an earlier run had left: they are proven only when their files are. */
  readonly keptParts: readonly VolumeEntry[]
}

/**
 * Fills a staging directory with all of a volume but its description and its sums: nobody takes it for a volume yet. What an earlier
 * run left there and is right stays. Nothing is durable. Throws DIGEST_MISMATCH for a source that is damaged, IO_NO_SPACE, IO_FAILED.
 */
export async function stageVolume(
  job: VolumeJob,
  tree: StagingTree,
  ports: StagePorts,
): Promise<StagedContent> {
  const { writer, phase } = ports
  const sums = new Map<string, string>()
  const keptParts: VolumeEntry[] = []
  // Of a run that was killed at its very end.
  for (const name of [job.description.stored, SUMS_FILE]) await tree.clear(name)
  for (const file of job.metadata) sums.set(file.stored, await writeSmall(tree, file, ports.encryptor))
  const write = async (entry: VolumeEntry): Promise<void> => {
    const name = nameOf(entry)
    phase.started(name)
    try {
      const written = await writer.write(entry)
      sums.set(entry.stored, written.sha256)
      if (written.kept && entry.part !== undefined) keptParts.push(entry)
      phase.finished(name, written.kept ? 'already there' : humanSize(entry.size_bytes))
    } catch (error) {
      phase.failed(name, error)
      throw error
    }
  }
  const isSmall = (entry: VolumeEntry): boolean => entry.part === undefined && entry.size_bytes <= SMALL_BYTES
  // Parts in order: their files are proven on the way.
  for (const entry of job.entries) if (!isSmall(entry)) await write(entry)
  await inParallel(job.entries.filter(isSmall), SMALL_AT_ONCE, write)
  return { sums, keptParts }
}

/** Writes a file whose bytes are known; gives back the sum of what is stored. */
export async function writeSmall(
  tree: StagingTree,
  { stored, bytes, encrypted }: SmallFile,
  encryptor: Encryptor | undefined,
): Promise<string> {
  const chunks: Buffer[] = []
  if (encrypted && encryptor !== undefined)
    for await (const chunk of encryptor.encrypt(once(bytes))) chunks.push(Buffer.from(chunk))
  else chunks.push(bytes)
  const content = Buffer.concat(chunks)
  await tree.clear(stored)
  await tree.write(stored, (handle) => pump(once(content), handle))
  return sha256(content)
}

/** For people: a file of a shipment, or which part of one. */
export function nameOf(entry: VolumeEntry): string {
  const part = entry.part === undefined ? '' : ` (part ${entry.part} of ${entry.parts})`
  return `${entry.shipment}/${entry.path}${part}`
}
