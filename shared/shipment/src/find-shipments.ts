import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CarryallError, fromSystemError, isCarryallError } from '@carryall/errors'
import { readChain } from './chain.ts'
import { inParallel } from './in-parallel.ts'
import { readShipment, type Shipment } from './read-shipment.ts'

/** A document from a pipe or a file, with its `result` if it had one. */
export interface ReceivedShipment {
  readonly document: { readonly kind: string; readonly name?: unknown }
  readonly result?: { readonly directory?: unknown; readonly metadata_digest?: unknown }
  /** Path, or `<stdin>`. */
  readonly origin: string
}

export interface FindOptions {
  /** Reads documents from operands that are files or `-`, and from stdin where there are no operands. */
  readonly documents: (operands: readonly string[]) => AsyncIterable<ReceivedShipment>
  /** Look for the shipments in this content directory, whatever the documents say. */
  readonly content?: string
  /** Reads a shipment; `likely` is the document that speaks of it. `readShipment` if absent. */
  readonly read?: (directory: string, likely?: unknown) => Promise<Shipment>
}

/**
 * Shipments by operand: a shipment's directory, a content directory (all that are in it), a document file or `-`. Of a
 * document only the place and the metadata digest are believed: the file there is read anew, and has to be the same.
 * Throws INPUT_NOT_FOUND, DIGEST_MISMATCH, and what reading throws.
 */
export async function findShipments(
  operands: readonly string[],
  options: FindOptions,
): Promise<readonly Shipment[]> {
  const { content, read = readShipment } = options
  const found: Shipment[] = []
  const documents = async (given: readonly string[]): Promise<void> => {
    const received = await Array.fromAsync(options.documents(given))
    found.push(...(await inParallel(received, (one) => shipmentOf(one, content, read))))
  }
  if (operands.length === 0) await documents([])
  for (const operand of operands) {
    if (operand !== '-' && (await isDirectory(operand))) found.push(...(await shipmentsAt(operand, read)))
    else await documents([operand])
  }
  return found
}

type Read = NonNullable<FindOptions['read']>

async function shipmentsAt(path: string, read: Read): Promise<readonly Shipment[]> {
  try {
    return [await read(path)]
  } catch (error) {
    if (!isCarryallError(error, 'INPUT_NOT_FOUND')) throw error
    const chain = await readChain(path, read)
    if (chain.length === 0) throw error
    return chain
  }
}

async function shipmentOf(
  received: ReceivedShipment,
  content: string | undefined,
  read: Read,
): Promise<Shipment> {
  const { document, result, origin } = received
  const shipment = await read(directoryOf(received, content), document)
  const wanted = result?.metadata_digest
  if (wanted !== undefined && wanted !== shipment.metadataDigest) {
    throw new CarryallError(
      'DIGEST_MISMATCH',
      `${shipment.directory} is not the ${document.kind} that ${origin} speaks of`,
      {
        pointer: '#/result/metadata_digest',
        expected: String(wanted),
        actual: shipment.metadataDigest,
        hint: 'Give the document that belongs to this directory, or name the directory itself',
      },
    )
  }
  return shipment
}

function directoryOf({ document, result, origin }: ReceivedShipment, content: string | undefined): string {
  if (content !== undefined && typeof document.name === 'string') return join(content, document.name)
  if (typeof result?.directory === 'string') return result.directory
  if (origin.endsWith('-metadata.yaml')) return dirname(origin)
  throw new CarryallError(
    'INPUT_NOT_FOUND',
    `The ${document.kind} in ${origin} does not say where its directory is`,
    {
      pointer: '#/result/directory',
      hint: 'Name the directory of the shipment, or use --content DIR',
    },
  )
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    throw fromSystemError(error, `open ${path}`, {
      subject: { kind: 'file', name: path },
      hint: 'Name a shipment, a content directory or a document',
    })
  }
}
