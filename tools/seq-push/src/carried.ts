import { lstat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Context } from '@carryall/cli'
import { CarryallError, isCarryallError } from '@carryall/errors'
import type { ImageLine, PushReport } from '@carryall/schemas'
import {
  loadSequence,
  locateBlobs,
  readForeignArchives,
  type ForeignArchives,
  type LoadedSequence,
  type Location,
} from '@carryall/sequence'
import {
  BLOB_INDEX,
  checkFiles,
  checkLinks,
  findShipments,
  readLanded,
  type ReceivedShipment,
  type Shipment,
} from '@carryall/shipment'
import type { Link } from '@carryall/site'

/** What is to be pushed, and everything beside it that helps. */
export interface Carried {
  /** Sequences to push, by number; empty for archives without an index. */
  readonly sequences: readonly LoadedSequence[]
  /** All sequences of the chain that are here, by number. */
  readonly chain: readonly LoadedSequence[]
  /** The newest of the chain that is known here, also where its content is not; undefined without metadata. */
  readonly newest?: Link
  readonly images: readonly ImageLine[]
  /** Images that archives without an index name, and whose manifests are in other archives. */
  readonly elsewhere: ForeignArchives['elsewhere']
  readonly locations: ReadonlyMap<string, Location>
  readonly about: Pick<PushReport, 'chain' | 'sequences'>
}

/**
 * Reads what the operands name and refuses what is damaged or does not belong together, before anything is asked of the
 * destination: files and sums but for the archives (82), links of the chain (81). Of two sequences that give one tag, the
 * later one counts. Throws INPUT_NOT_FOUND, DIGEST_MISMATCH, SEQ_*.
 */
export async function readCarried(
  context: Context,
  operands: readonly string[],
  content: string | undefined,
): Promise<Carried> {
  const foreign = await foreignDirectory(operands)
  if (foreign !== undefined) {
    const { images, locations, elsewhere } = await readForeignArchives(foreign)
    return { sequences: [], chain: [], images, elsewhere, locations, about: { sequences: [] } }
  }
  const shipments = await findShipments(operands, {
    documents: (given) => context.documents(given, ['Sequence']) as AsyncIterable<ReceivedShipment>,
    ...(content === undefined ? {} : { content }),
  })
  const first = shipments[0]
  if (first === undefined)
    throw new CarryallError('INPUT_EMPTY', 'No sequence was given', {
      hint: 'Name a sequence, a content directory, or pipe a Sequence in',
    })
  // A content directory and one of its sequences name that one twice.
  const each = new Map(shipments.map((shipment) => [shipment.metadataDigest, shipment]))
  const sequences = (await Promise.all([...each.values()].map(loadSequence))).sort(
    (a, b) => a.metadata.sequence_number - b.metadata.sequence_number,
  )
  const { chain, newest } = await chainOf(sequences, content ?? dirname(first.directory))
  // Earlier ones, too: they say where blobs are and which tags may move.
  for (const sequence of chain) await refuseDamaged(sequence)
  return {
    sequences,
    chain,
    newest: { sequence_number: newest.metadata.sequence_number, metadata_digest: newest.metadataDigest },
    images: latest(sequences),
    elsewhere: [],
    locations: await locateBlobs(chain),
    about: {
      chain: first.metadata.chain,
      sequences: sequences.map(({ metadata, shipment }) => ({
        sequence_number: metadata.sequence_number,
        name: metadata.name,
        metadata_digest: shipment.metadataDigest,
      })),
    },
  }
}

/** A directory with archives and no metadata of ours. */
async function foreignDirectory(operands: readonly string[]): Promise<string | undefined> {
  const [only] = operands
  if (operands.length !== 1 || only === undefined || only === '-') return undefined
  const [archive, index] = await Promise.all(
    ['mirror_000001.tar', BLOB_INDEX].map((name) => lstat(join(only, name)).catch(() => undefined)),
  )
  // With an index it is a sequence, and damaged where its metadata cannot be read.
  if (archive === undefined || index !== undefined) return undefined
  try {
    await findShipments([only], { async *documents() {} })
    return undefined
  } catch (error) {
    if (isCarryallError(error, 'INPUT_NOT_FOUND', 'SCHEMA_INVALID', 'INPUT_SYNTAX')) return only
    throw error
  }
}

/** An archive that is not here is no damage: whether its blobs are at the destination is proven later. */
async function refuseDamaged({ shipment, metadata }: LoadedSequence): Promise<void> {
  const archives = new Set(metadata.archives.map((archive) => archive.name))
  const checked = await checkFiles(shipment, { mode: 'full', except: archives })
  const faults = checked.faults.filter(
    ({ code, path }) => code !== 'FILE_MISSING' || path === undefined || !archives.has(path),
  )
  const fault = faults[0]
  if (fault === undefined) return
  throw new CarryallError(
    fault.code === 'FILE_MISSING'
      ? 'FILE_MISSING'
      : fault.code === 'SIZE_MISMATCH'
        ? 'SIZE_MISMATCH'
        : fault.code === 'FILE_UNEXPECTED'
          ? 'FILE_UNEXPECTED'
          : 'DIGEST_MISMATCH',
    `${metadata.name}: ${fault.message}${faults.length > 1 ? `, and ${faults.length - 1} more` : ''}`,
    {
      subject: { kind: 'shipment', name: metadata.name },
      ...(fault.expected === undefined ? {} : { expected: fault.expected }),
      ...(fault.actual === undefined ? {} : { actual: fault.actual }),
      hint: 'Carry this sequence again; seq-meta verify names everything that is wrong with it',
    },
  )
}

/**
 * The chain's sequences in the content directory, and the newest of which there is at least a headstone. A gap is no reason
 * to refuse: what counts is whether the blobs are there.
 */
async function chainOf(
  sequences: readonly LoadedSequence[],
  content: string,
): Promise<{ readonly chain: readonly LoadedSequence[]; readonly newest: Shipment }> {
  const { id } = sequences[0]!.metadata.chain
  const isOurs = ({ metadata }: Shipment): boolean => metadata.kind === 'Sequence' && metadata.chain.id === id
  const { here, known } = await readLanded(content)
  const given = new Map(sequences.map((sequence) => [sequence.shipment.metadataDigest, sequence]))
  const withGiven = (shipments: readonly Shipment[]): readonly Shipment[] => {
    const digests = new Set(shipments.map((shipment) => shipment.metadataDigest))
    const strays = sequences.map(({ shipment }) => shipment).filter((one) => !digests.has(one.metadataDigest))
    return [...shipments.filter(isOurs), ...strays].sort(
      (a, b) => a.metadata.sequence_number - b.metadata.sequence_number,
    )
  }
  const all = withGiven(here)
  const newest = withGiven(known).at(-1)!
  const fault = checkLinks(withGiven(known)).find((one) => one.code !== 'SEQ_GAP')
  if (fault !== undefined) throw fault
  const chain = await Promise.all(
    all.map(async (shipment) => given.get(shipment.metadataDigest) ?? loadSequence(shipment)),
  )
  return { chain, newest }
}

function latest(sequences: readonly LoadedSequence[]): readonly ImageLine[] {
  const byName = new Map<string, ImageLine>()
  for (const { images } of sequences)
    for (const image of images) byName.set(`${image.repository} ${image.tag ?? image.digest}`, image)
  return [...byName.values()]
}
