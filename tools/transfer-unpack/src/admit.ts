import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { CarryallError, isCarryallError } from '@carryall/errors'
import {
  parseKind,
  readDocuments,
  shipmentKind,
  type ChainState,
  type ShipmentDocument,
  type Volume,
} from '@carryall/schemas'
import { digestOf, parseSums, readLanded, SIGNATURE, SUMS_FILE, type Shipment } from '@carryall/shipment'
import { judge, readChainState, type Incoming, type Judgement } from '@carryall/site'
import type { SmallFiles } from './read-volume.ts'
import type { Site } from './site.ts'

export type CrossingChain = Volume['chains'][number]

/** A shipment of a set, by the metadata that came with a volume. */
export interface Arriving extends Incoming {
  /** As its file has it, for the pipe. */
  readonly value: unknown
  readonly files: ReadonlyMap<string, Buffer>
}

/** A chain of a set that may be taken in. */
export interface Admission {
  readonly chain: CrossingChain
  readonly directory: string
  readonly arriving: readonly Arriving[]
  readonly judgement: Judgement
  /** Directories that are there now. */
  readonly here: readonly Shipment[]
  /** What a run that was killed was about to land. */
  readonly pending: ChainState['pending']
}

/**
 * Judges a chain of a set by its metadata alone: nothing was written before. Throws DIGEST_MISMATCH, INDEX_MISMATCH (82),
 * SIG_* (80), SEQ_* (81), SCHEMA_*.
 */
export async function admitChain(chain: CrossingChain, small: SmallFiles, site: Site): Promise<Admission> {
  const directory = join(site.root, chain.name)
  const arriving = await Promise.all(
    chain.shipments.map((crossing) => arrivingShipment(chain, crossing, small, site)),
  )
  const { state, here, landed } = await remembered(directory, chain.id, site)
  const judgement = judge({
    chain: { id: chain.id, name: chain.name },
    ...(chain.from === undefined ? {} : { from: chain.from }),
    ...(state === undefined ? {} : { state }),
    landed,
    incoming: arriving,
    policy: site.policy(chain.id),
  })
  return { chain, directory, arriving, judgement, here, pending: state?.pending }
}

/** Shipments of the set that have to be put together: carried, and not in the content directory. By number. */
export function toLand({ arriving, here }: Admission): readonly Arriving[] {
  const there = new Set(here.map((shipment) => shipment.metadataDigest))
  return arriving.filter((one) => one.carried && !there.has(one.metadataDigest))
}

/** The operator let the memory of the site be made anew. */
export function isReset({ judgement }: Admission): boolean {
  return judgement.overrides.includes('accept-state-reset')
}

type Landed = Awaited<ReturnType<typeof readLanded>>

/** State and content of one moment: a run that is publishing now changes the state before and after it changes the content. */
async function remembered(
  directory: string,
  chainId: string,
  site: Site,
): Promise<Landed & { readonly state: ChainState | undefined }> {
  for (;;) {
    const state = await stateOf(chainId, site)
    const content = await landedIn(directory)
    if (isDeepStrictEqual(state, await stateOf(chainId, site))) return { ...content, state }
  }
}

async function stateOf(chainId: string, site: Site): Promise<ChainState | undefined> {
  try {
    return await readChainState(site.stateDir, chainId)
  } catch (error) {
    if (site.acceptStateReset && isCarryallError(error, 'SEQ_STATE_MISMATCH')) return undefined
    throw error
  }
}

async function landedIn(directory: string): Promise<Landed> {
  try {
    return await readLanded(directory)
  } catch (error) {
    if (isCarryallError(error, 'INPUT_NOT_FOUND')) return { here: [], landed: [], known: [] }
    throw error
  }
}

async function arrivingShipment(
  chain: CrossingChain,
  crossing: CrossingChain['shipments'][number],
  small: SmallFiles,
  site: Site,
): Promise<Arriving> {
  const place = `${chain.name}/${crossing.name}`
  const files = small.get(place) ?? new Map<string, Buffer>()
  const bytes = needed(files, crossing.metadata_file, place)
  const metadataDigest = digestOf(bytes)
  const where = `${place}/${crossing.metadata_file}`
  if (metadataDigest !== crossing.metadata_digest)
    throw differs(
      where,
      crossing.metadata_digest,
      metadataDigest,
      'is not the metadata that volume.json names',
    )
  const value = readDocuments(bytes, where)[0]
  const kind = (value as { kind?: unknown } | null)?.kind
  const metadata = parseKind(shipmentKind(typeof kind === 'string' ? kind : ''), value, where)
  if (metadata.name !== crossing.name || metadata.sequence_number !== crossing.sequence_number)
    throw differs(where, crossing.name, metadata.name, 'is of another shipment than volume.json says')
  const sums = needed(files, SUMS_FILE, place)
  compareSums(metadata, crossing.metadata_file, metadataDigest, sums, place)
  const signatures = [...files].flatMap(([name, content]) =>
    SIGNATURE.test(name) ? [{ name, bytes: content }] : [],
  )
  const { signers, faults } = await site.checkSignatures(sums, signatures, chain.id)
  return {
    metadata,
    metadataDigest,
    signers,
    signatureFaults: faults,
    carried: crossing.carried,
    value,
    files,
  }
}

function needed(files: ReadonlyMap<string, Buffer>, name: string, place: string): Buffer {
  const bytes = files.get(name)
  if (bytes !== undefined) return bytes
  throw new CarryallError('FILE_MISSING', `${place}/${name} did not come with the volume`, {
    subject: { kind: 'file', name: `${place}/${name}` },
    hint: 'Have this volume made again: transfer-pack --volume N --force',
  })
}

/** The signature is over the sums, so they have to say what the metadata says. */
function compareSums(
  metadata: ShipmentDocument,
  metadataFile: string,
  metadataDigest: string,
  bytes: Buffer,
  place: string,
): void {
  const sums = new Map(parseSums(bytes.toString('utf8'), `${place}/${SUMS_FILE}`))
  const wanted = [...metadata.files, { path: metadataFile, sha256: metadataDigest.slice('sha256:'.length) }]
  for (const { path, sha256 } of wanted) {
    if (sums.get(path) !== sha256)
      throw differs(
        `${place}/${SUMS_FILE}`,
        sha256,
        sums.get(path) ?? 'absent',
        `differs from the metadata at ${path}`,
      )
    sums.delete(path)
  }
  const [more] = sums.keys()
  if (more !== undefined)
    throw differs(`${place}/${SUMS_FILE}`, 'absent', more, `names ${more}, which the metadata does not`)
}

function differs(where: string, expected: string, actual: string, why: string): CarryallError {
  return new CarryallError('INDEX_MISMATCH', `${where} ${why}`, {
    subject: { kind: 'file', name: where },
    expected,
    actual,
    hint: 'Nothing of this set is taken in; have it packed again from the shipments as they were published',
  })
}
