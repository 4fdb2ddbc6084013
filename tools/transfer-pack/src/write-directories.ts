import { join } from 'node:path'
import { commitFile } from '@carryall/durable'
import { SUMS_FILE } from '@carryall/shipment'
import { checkVolume, type FinishedVolume } from './check-volume.ts'
import { DirectoryStaging, type StagedVolume } from './directory-staging.ts'
import { packed, phaseTitle, type PackedVolume, type PackOptions } from './pack.ts'
import { publishVolume, signatures } from './publish-volume.ts'
import { samePlace } from './same-place.ts'
import type { VolumeJob } from './volume-job.ts'

/**
 * Writes volumes as directories of `out`, under its lock. A volume that is there and whole is kept; what an earlier run left of one is
 * used. Volumes appear in order, each when every file of which it has a part is proven. Throws what `checkVolume`,
 * `stageVolume` and `publishVolume` throw; then the volumes that have appeared are whole, and the staging is kept.
 */
export async function writeDirectories(out: string, options: PackOptions): Promise<readonly PackedVolume[]> {
  const kept = new Map<VolumeJob, PackedVolume>()
  for (const job of options.force ? [] : options.jobs) {
    const finished = await checkDirectory(out, job, options)
    if (finished !== undefined) kept.set(job, await keep(out, job, finished, options))
  }
  const todo = options.jobs.filter((job) => !kept.has(job))
  const staging = new DirectoryStaging(out, todo, options)
  const made = new Map<VolumeJob, PackedVolume>()
  const stayed = await samePlace(out)
  for (const job of todo) {
    await stayed()
    await staging.stage(job)
    await stayed()
    for (const ready of staging.takeProven()) made.set(ready.job, await publish(out, ready, options))
  }
  return options.jobs.map((job) => (kept.get(job) ?? made.get(job))!)
}

/** Proves a volume that is there; undefined where none is. */
async function checkDirectory(
  out: string,
  job: VolumeJob,
  options: Pick<PackOptions, 'progress' | 'signal' | 'total'>,
): Promise<FinishedVolume | undefined> {
  const phase = options.progress.phase(phaseTitle('Checking', job, options))
  try {
    const onBytes = (count: number): void => phase.advanced(count)
    return await checkVolume(join(out, job.name), job, { signal: options.signal, onBytes })
  } finally {
    phase.end()
  }
}

/** A volume that is there gets the signatures that it lacks. */
async function keep(
  out: string,
  job: VolumeJob,
  finished: FinishedVolume,
  { signers }: PackOptions,
): Promise<PackedVolume> {
  const directory = join(out, job.name)
  const isThere = (fingerprint: string): boolean =>
    finished.signatures.includes(`${SUMS_FILE}.${fingerprint}.asc`)
  const lacking = signers.filter(({ fingerprint }) => !isThere(fingerprint))
  for (const [name, signature] of await signatures(finished.sums, lacking))
    await commitFile(join(directory, name), signature)
  return packed(finished.document ?? job.document, {
    changed: lacking.length > 0,
    directory,
    sums: finished.sums,
  })
}

async function publish(
  out: string,
  { job, tree, sums }: StagedVolume,
  options: PackOptions,
): Promise<PackedVolume> {
  const directory = join(out, job.name)
  const phase = options.progress.phase(
    phaseTitle(options.verifyMedia ? 'Reading back' : 'Syncing', job, options),
  )
  try {
    const { signers, encryptor, verifyMedia: verify, signal } = options
    const ports = { signers, encryptor, verify, signal, phase }
    const text = await publishVolume(job, { tree, final: directory }, sums, ports)
    return packed(job.document, { changed: true, directory, sums: text })
  } finally {
    phase.end()
  }
}
