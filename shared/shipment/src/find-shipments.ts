import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CarryallError, fromSystemError, isCarryallError } from '@carryall/errors'
import { readChain } from './chain.ts'
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
  const found: Shipment[] = []
  if (operands.length === 0)
    for await (const received of options.documents([]))
      found.push(await shipmentOf(received, options.content))
  for (const operand of operands) {
    if (operand !== '-' && (await isDirectory(operand))) found.push(...(await shipmentsAt(operand)))
    else
      for await (const received of options.documents([operand]))
        found.push(await shipmentOf(received, options.content))
  }
  return found
}

async function shipmentsAt(path: string): Promise<readonly Shipment[]> {
  try {
    return [await readShipment(path)]
  } catch (error) {
    if (!isCarryallError(error, 'INPUT_NOT_FOUND')) throw error
    const chain = await readChain(path)
    if (chain.length === 0) throw error
    return chain
  }
}

async function shipmentOf(received: ReceivedShipment, content: string | undefined): Promise<Shipment> {
  const { document, result, origin } = received
  const shipment = await readShipment(directoryOf(received, content))
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
