import type { Volume, VolumeEntry } from '@carryall/schemas'
import type { LandingDirectory } from '@carryall/shipment'
import { admitChain, isReset, toLand, type Admission, type Arriving } from './admit.ts'
import type { Auditor } from './auditor.ts'
import { openIntake, stagingOf, type Intake } from './intake.ts'
import { rememberJudged } from './publish.ts'
import type { SmallFiles } from './read-volume.ts'
import { readSet, type SetRecord } from './sets.ts'
import type { Site } from './site.ts'

/** A set that was admitted, with the chains of which something is still to come: to be disposed of, with what they hold open. */
export interface OpenSet extends AsyncDisposable {
  /** The one that it was admitted by, with the metadata that came with it. */
  readonly volume: Volume
  readonly small: SmallFiles
  readonly admissions: readonly Admission[]
  readonly chains: readonly OpenChain[]
}

export interface OpenChain {
  readonly intake: Intake
  readonly landing: LandingDirectory
  record: SetRecord
}

export interface SetPorts {
  readonly site: Site
  readonly audit: Auditor
  readonly dryRun: boolean
  landingOf(admission: Admission): Promise<LandingDirectory>
}

/**
 * Judges every chain of a set, then opens those of which something is to be put together. Nothing is written before all are
 * judged, and with `dryRun` nothing at all. Throws what `admitChain` throws, LOCK_HELD, SEQ_COPIED, IO_NO_SPACE.
 */
export async function openSet(volume: Volume, small: SmallFiles, ports: SetPorts): Promise<OpenSet> {
  const { site, audit } = ports
  const admissions: Admission[] = []
  for (const chain of volume.chains) admissions.push(await admitChain(chain, small, site))
  const chains: OpenChain[] = []
  await using held = new AsyncDisposableStack()
  for (const before of ports.dryRun ? [] : admissions) {
    if (toLand(before).length === 0 && before.pending === undefined && !isReset(before)) continue
    await audit.open()
    const landing = await ports.landingOf(before)
    // Under the lock: another run may have landed something since.
    const admission = await admitChain(before.chain, small, site)
    await settlePending(admission, landing, audit)
    await rememberJudged(admission, site)
    if (isReset(admission)) await audit.reset(admission)
    const intake = held.use(await openIntake(admission, landing))
    const record = await readSet(landing, volume, admission.chain)
    if (intake.open.length > 0) chains.push({ intake, landing, record })
    else await landing.discard(record.directory)
  }
  const kept = held.move()
  return { volume, small, admissions, chains, [Symbol.asyncDispose]: () => kept.disposeAsync() }
}

/** Ends what a run began that was killed between the rename and the mark; the mark itself is raised by `rememberJudged`. */
async function settlePending(admission: Admission, landing: LandingDirectory, audit: Auditor): Promise<void> {
  const landed = admission.here.find((one) => one.metadataDigest === admission.pending?.metadata_digest)
  if (landed === undefined) return
  await audit.settled(landed, admission)
  await landing.discard(await stagingOf(landed, landing))
}

/** The chain of an entry, where something of it is still to come. */
export function chainOf(set: OpenSet | undefined, entry: VolumeEntry): Intake | undefined {
  return set?.chains.find(({ intake }) => intake.admission.chain.name === entry.chain)?.intake
}

/** The shipments of a set by `<chain>/<shipment>`. */
export function arrivingOf({ admissions }: OpenSet): ReadonlyMap<string, Arriving> {
  return new Map(
    admissions.flatMap(({ chain, arriving }) =>
      arriving.map((one): [string, Arriving] => [`${chain.name}/${one.metadata.name}`, one]),
    ),
  )
}
