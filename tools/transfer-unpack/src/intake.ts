import { statfs } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { CarryallError } from '@carryall/errors'
import { humanSize, type VolumeEntry } from '@carryall/schemas'
import type { LandingDirectory } from '@carryall/shipment'
import { toLand, type Admission, type Arriving } from './admit.ts'
import { openStage, type Proven, type Stage } from './stage.ts'

/** A chain of a set while it is taken in: where its shipments are put together. */
export interface Intake extends AsyncDisposable {
  readonly admission: Admission
  /** Shipments that are not published yet, by number. */
  readonly open: readonly OpenShipment[]
  wants(entry: VolumeEntry): boolean
  take(entry: VolumeEntry, chunks: AsyncIterable<Buffer>, proven: Proven): Promise<void>
  /** Forgets one that was published. */
  done(shipment: OpenShipment): Promise<void>
}

export interface OpenShipment {
  readonly arriving: Arriving
  readonly stage: Stage
  /** Its staging directory. */
  readonly staging: string
}

/** Opens the staging of every shipment of the chain that is to be put together. Throws IO_NO_SPACE (74) before anything is written. */
export async function openIntake(admission: Admission, landing: LandingDirectory): Promise<Intake> {
  const open: OpenShipment[] = []
  await using held = new AsyncDisposableStack()
  for (const arriving of toLand(admission)) {
    const staging = await stagingOf(arriving, landing)
    open.push({ arriving, staging, stage: held.use(await openStage(staging, arriving.metadata)) })
  }
  await requireRoom(landing.path, open)
  const kept = held.move()
  const of = (entry: VolumeEntry): OpenShipment | undefined =>
    open.find(({ arriving }) => arriving.metadata.name === entry.shipment)
  return {
    admission,
    open,
    wants: (entry) => of(entry)?.stage.wants(entry) ?? false,
    async take(entry, chunks, proven) {
      await of(entry)!.stage.take(entry, chunks, proven)
    },
    async done(shipment) {
      open.splice(open.indexOf(shipment), 1)
      await shipment.stage[Symbol.asyncDispose]()
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** Where a shipment is put together. Staging directories begin with a number of the chain, so that `discardOvertaken` knows them. */
export function stagingOf(
  { metadata, metadataDigest }: Pick<Arriving, 'metadata' | 'metadataDigest'>,
  landing: LandingDirectory,
): Promise<string> {
  return landing.staging(`${metadata.sequence_number}-${metadataDigest.slice('sha256:'.length, 39)}`)
}

/** Removes what runs have staged that cannot be published any more: of numbers that the chain has passed. */
export async function discardOvertaken(landing: LandingDirectory, landed: number): Promise<void> {
  for (const directory of await landing.leftovers(''))
    if (Number(/^(\d+)-/.exec(basename(directory))?.[1]) <= landed) await landing.discard(directory)
}

async function requireRoom(directory: string, open: readonly OpenShipment[]): Promise<void> {
  const needed = open.reduce((sum, { stage }) => sum + stage.missingBytes(), 0)
  const { bavail, bsize } = await statfs(directory)
  const available = bavail * bsize
  if (needed <= available) return
  throw new CarryallError(
    'IO_NO_SPACE',
    `Nothing was taken in: ${directory} needs ${humanSize(needed)} more; ${humanSize(available)} are free`,
    {
      subject: { kind: 'file', name: join(directory) },
      expected: needed,
      actual: available,
      hint: 'Free space there, or name a directory on a larger file system with --content',
    },
  )
}
