import { join } from 'node:path'
import { commitFile } from '@carryall/durable'
import { CarryallError, isCarryallError } from '@carryall/errors'
import type { Volume } from '@carryall/schemas'
import { readSmall, type LandingDirectory } from '@carryall/shipment'
import type { CrossingChain } from './admit.ts'
import type { Intake } from './intake.ts'

const SHOWN = 10

/** Which volumes of a set have been read to their end, in this run or an earlier one. */
export interface SetRecord {
  readonly directory: string
  readonly volumes: number
  readonly done: ReadonlySet<number>
}

/** The record of a set in the staging area of a chain; a damaged one counts as none: volumes are then read once more. */
export async function readSet(
  landing: LandingDirectory,
  volume: Volume,
  { target }: CrossingChain,
): Promise<SetRecord> {
  const directory = await landing.staging(
    `${target.sequence_number}-set-${volume.set.slice('sha256:'.length, 39)}`,
  )
  return { directory, volumes: volume.volumes, done: await numbers(join(directory, 'volumes.json')) }
}

/** Adds a volume to the record, durably. */
export async function recordVolume(record: SetRecord, number: number): Promise<SetRecord> {
  const done = new Set([...record.done, number])
  await commitFile(
    join(record.directory, 'volumes.json'),
    `${JSON.stringify([...done].sort((a, b) => a - b))}\n`,
  )
  return { ...record, done }
}

async function numbers(file: string): Promise<ReadonlySet<number>> {
  try {
    const list = JSON.parse((await readSmall(file)).toString('utf8')) as unknown
    return new Set(Array.isArray(list) ? list.filter((one): one is number => Number.isSafeInteger(one)) : [])
  } catch (error) {
    if (isCarryallError(error) && error.code !== 'INPUT_NOT_FOUND') throw error
    return new Set()
  }
}

/** What a set still waits for, as an error to show: VOLUME_MISSING (83) with volumes and files. */
export function waitingFor(record: SetRecord, { admission, open }: Intake, set: string): CarryallError {
  const { target } = admission.chain
  const all = Array.from({ length: record.volumes }, (_, index) => index + 1)
  const volumes = all.filter((one) => !record.done.has(one))
  const files = open.flatMap(({ arriving, stage }) =>
    stage.missing().map((file) => `${arriving.metadata.name}/${file.path}`),
  )
  const bytes = open.reduce((sum, { stage }) => sum + stage.missingBytes(), 0)
  const more = files.length > SHOWN ? ` and ${files.length - SHOWN} more` : ''
  const which =
    volumes.length > 0
      ? `volume ${volumes.join(', ')} of ${record.volumes}`
      : 'volumes that were damaged, made again'
  return new CarryallError(
    'VOLUME_MISSING',
    `${admission.chain.name}/${target.name} is not whole yet: ${files.length} files (${bytes} bytes) wait for ${which} (set ${set.slice(7, 15)})`,
    {
      subject: { kind: 'shipment', name: target.name, digest: target.metadata_digest },
      expected: all.join(', '),
      actual: all.filter((one) => record.done.has(one)).join(', '),
      hint: `Still to come: ${files.slice(0, SHOWN).join(', ')}${more}. What is here is kept; run the same command with the other volumes`,
      retryable: true,
    },
  )
}
