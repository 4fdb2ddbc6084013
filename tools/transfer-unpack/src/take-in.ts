import { join } from 'node:path'
import type { Context, Phase } from '@carryall/cli'
import { CarryallError, isCarryallError } from '@carryall/errors'
import { isVolumeName, volumeName, type VolumeSource } from '@carryall/media'
import { toJson, type Volume } from '@carryall/schemas'
import { digestOf, openLanding, type LandingDirectory } from '@carryall/shipment'
import { toLand, type Admission, type Arriving } from './admit.ts'
import { auditor } from './auditor.ts'
import { checkEntries } from './check-entries.ts'
import { counted } from './counted.ts'
import { discardOvertaken } from './intake.ts'
import { arrivingOf, chainOf, openSet, type OpenChain, type OpenSet } from './open-set.ts'
import { publishShipment } from './publish.ts'
import { readVolume, type SmallFiles } from './read-volume.ts'
import { recordVolume, waitingFor } from './sets.ts'
import type { Site } from './site.ts'
import { isAboutVolume, placed } from './volume-faults.ts'

/** A shipment of the sets that were given: published now, or before. */
export interface Published {
  readonly arriving: Arriving
  readonly directory: string
  readonly signed: boolean
  readonly changed: boolean
}

/** Sets of volumes while they are taken in. */
export interface TakeIn extends AsyncDisposable {
  /** Reads one volume, and publishes what became whole by it. What is wrong with it is kept for `errors`. */
  volume(source: VolumeSource): Promise<void>
  readonly published: readonly Published[]
  /** Refusals, damage, and what is still to come. To be asked once, at the end. */
  errors(): Promise<readonly CarryallError[]>
}

/** Begins to take volumes in. Nothing is written before the first one is admitted; on a dry run nothing at all. */
export function takeIn(context: Context, site: Site): TakeIn {
  const { signal, log, dryRun } = context
  const audit = auditor(context, site)
  const landings = new Map<string, LandingDirectory>()
  const sets = new Map<string, OpenSet | CarryallError>()
  /** Sets that gave way to another one of their chain. */
  const aside = new Map<string, OpenSet>()
  const published = new Map<string, Published>()
  const errors: CarryallError[] = []
  const refusals: { readonly error: CarryallError; readonly volume: Volume }[] = []

  /** A set from an earlier trip that was left on the medium of a newer one is no reason to stop. */
  function isSuperseded({ error, volume }: (typeof refusals)[number]): boolean {
    const admitted = [...sets.values(), ...aside.values()].flatMap((set) =>
      set instanceof CarryallError ? [] : set.admissions,
    )
    return (
      error.code === 'SEQ_ROLLBACK' &&
      volume.chains.every((chain) => admitted.some((admission) => admission.chain.id === chain.id))
    )
  }

  async function landingOf({ directory }: Admission): Promise<LandingDirectory> {
    const known = landings.get(directory)
    if (known !== undefined) return known
    const landing = await openLanding(directory, {
      holder: `${context.tool.name} ${context.tool.version}`,
      waitSeconds: context.waitSeconds,
      takeOver: site.acceptStateReset,
      signal,
    })
    landings.set(directory, landing)
    return landing
  }

  async function admit(volume: Volume, small: SmallFiles): Promise<OpenSet> {
    const key = keyOf(volume, small)
    const known = sets.get(key)
    if (known instanceof CarryallError) throw new Told(known)
    if (known === undefined) await giveWay(volume)
    aside.delete(key)
    await using fresh = new AsyncDisposableStack()
    try {
      const set = known ?? fresh.use(await openSet(volume, small, { site, audit, dryRun, landingOf }))
      checkEntries(volume, arrivingOf(set))
      fresh.move()
      sets.set(key, set)
      if (known === undefined) for (const admission of set.admissions) note(admission)
      return set
    } catch (error) {
      if (!isCarryallError(error)) throw error
      if (known === undefined) {
        sets.set(key, error)
        await audit.refused(error, volume)
        refusals.push({ error, volume })
        throw new Told(error)
      }
      throw error
    }
  }

  /** One set of a chain is open at a time: what it lands changes what the others may, so these are judged anew when they go on. */
  async function giveWay({ chains }: Volume): Promise<void> {
    const names = new Set(chains.map(({ name }) => name))
    for (const [key, set] of sets) {
      if (set instanceof CarryallError || !set.chains.some((one) => isOpen(one) && names.has(nameOf(one))))
        continue
      await set[Symbol.asyncDispose]()
      sets.delete(key)
      aside.set(key, set)
    }
  }

  async function errorsAtEnd(): Promise<readonly CarryallError[]> {
    const waiting = [...sets.values()].flatMap(waitingIn)
    for (const { volume, small } of [...aside.values()])
      try {
        waiting.push(...waitingIn(await admit(volume, small)))
      } catch (error) {
        if (error instanceof Told) continue
        if (!isCarryallError(error) || !isAboutVolume(error)) throw error
        errors.push(error)
      }
    return [...refusals.filter((one) => !isSuperseded(one)).map(({ error }) => error), ...errors, ...waiting]
  }

  /** What is here already, and on a dry run what would be. */
  function note(admission: Admission): void {
    const coming = new Set(toLand(admission).map((one) => one.metadataDigest))
    for (const arriving of admission.arriving) {
      const changed = coming.has(arriving.metadataDigest)
      if (published.has(arriving.metadataDigest)) continue
      if (arriving.carried && (!changed || dryRun)) tell(arriving, admission, changed)
    }
  }

  function tell(arriving: Arriving, { directory, judgement }: Admission, changed: boolean): void {
    published.set(arriving.metadataDigest, {
      arriving,
      directory: join(directory, arriving.metadata.name),
      signed: judgement.signed,
      changed,
    })
  }

  async function publishWhole({ intake, landing, record }: OpenChain, volume: Volume): Promise<void> {
    const { admission } = intake
    for (const shipment of [...intake.open]) {
      // In the order of the chain: what comes later waits for what comes before.
      if (shipment.stage.missing().length > 0) return
      const { arriving } = shipment
      await publishShipment(shipment, admission, landing, {
        site,
        now: () => context.clock(),
        signal,
        async landed() {
          await audit.landed(arriving, admission, volume)
          await discardOvertaken(landing, arriving.metadata.sequence_number)
          if (intake.open.length === 1) await landing.discard(record.directory)
        },
      }).catch(async (error: unknown) => {
        if (isCarryallError(error)) await audit.refused(error, volume)
        throw error
      })
      await intake.done(shipment)
      tell(arriving, admission, true)
    }
  }

  async function read(source: VolumeSource, phase: Phase): Promise<void> {
    let set: OpenSet | undefined
    const failed: CarryallError[] = []
    const { volume, faults } = await readVolume(source, {
      decrypt: site.decrypt,
      async admit(about, small) {
        set = await admit(about, small)
        return !dryRun
      },
      // Only the shipments' own signatures make them trusted; one that is broken tells that the volume was changed.
      async checkSums(sums, signatures) {
        const { faults } = await site.checkSignatures(sums, signatures)
        return faults.filter((fault) => fault.code === 'SIG_INVALID')
      },
      wants: (entry) => chainOf(set, entry)?.wants(entry) ?? false,
      take: (entry, chunks, proven) =>
        chainOf(set, entry)!.take(entry, counted(chunks, phase, signal), proven),
      failed(error) {
        failed.push(placed(error, source))
      },
    })
    // What is mounted or renamed says nothing of itself.
    if (isVolumeName(source.name) && source.name !== volumeName(volume.set, volume.number))
      log.warn(`${source.place} holds volume ${volume.number} of set ${volume.set.slice(7, 15)}`)
    errors.push(...failed, ...faults)
    for (const chain of set?.chains ?? []) {
      if (!isOpen(chain)) continue
      if (failed.length + faults.length === 0) chain.record = await recordVolume(chain.record, volume.number)
      await publishWhole(chain, volume)
    }
  }

  return {
    async volume(source) {
      const phase = context.progress.phase(`Reading ${source.name}`)
      try {
        await read(source, phase)
      } catch (error) {
        if (error instanceof Told) return
        if (!isCarryallError(error) || signal.aborted || !isAboutVolume(error)) throw error
        errors.push(placed(error, source))
      } finally {
        phase.end()
      }
    },
    get published() {
      return [...published.values()]
    },
    errors: errorsAtEnd,
    async [Symbol.asyncDispose]() {
      for (const set of sets.values()) if (!(set instanceof CarryallError)) await set[Symbol.asyncDispose]()
      for (const landing of landings.values()) await landing.close()
    },
  }
}

const isOpen = ({ intake }: OpenChain): boolean => intake.open.length > 0
const nameOf = ({ intake }: OpenChain): string => intake.admission.chain.name

/** What a set still waits for; what is whole and was refused all the same waits for nothing. */
function waitingIn(set: OpenSet | CarryallError): readonly CarryallError[] {
  if (set instanceof CarryallError) return []
  return set.chains
    .filter(({ intake }) => intake.open.some(({ stage }) => stage.missing().length > 0))
    .map(({ intake, record }) => waitingFor(record, intake, set.volume.set))
}

/** A set is judged once; a volume of it whose metadata says otherwise is judged for itself. */
function keyOf(volume: Volume, small: SmallFiles): string {
  const digests = [...small].map(([place, files]) => [
    place,
    [...files].map(([name, bytes]) => [name, digestOf(bytes)]),
  ])
  return `${volume.set} ${digestOf(toJson([volume.chains, volume.volumes, digests]))}`
}

/** A volume of a set that was refused as a whole. */
class Told extends Error {
  constructor(cause: CarryallError) {
    super(cause.message, { cause })
  }
}
