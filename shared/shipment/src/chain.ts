import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { CarryallError, fromSystemError, isCarryallError } from '@carryall/errors'
import { inParallel } from './in-parallel.ts'
import { readShipment, type Shipment } from './read-shipment.ts'

/**
 * All shipments of a content directory, by number. Directories without metadata and dotted ones are passed over. `read`
 * may know some of them already.
 */
export async function readChain(
  content: string,
  read: (directory: string) => Promise<Shipment> = readShipment,
): Promise<readonly Shipment[]> {
  const found = await inParallel(await directories(content), async (name) => {
    try {
      return [await read(join(content, name))]
    } catch (error) {
      if (!isCarryallError(error, 'INPUT_NOT_FOUND')) throw error
      return []
    }
  })
  return found.flat().sort((a, b) => a.metadata.sequence_number - b.metadata.sequence_number)
}

/**
 * What is wrong with the links of a chain, in order: another chain's shipment (SEQ_WRONG_CHAIN), two with one number or a
 * predecessor that is not the one named (SEQ_FORK), a number left out (SEQ_GAP). A chain may begin after number 1 where
 * the earlier ones were not carried. Pure; `shipments` sorted by number.
 */
export function checkLinks(
  shipments: readonly Pick<Shipment, 'metadata' | 'metadataDigest'>[],
): readonly CarryallError[] {
  const faults: CarryallError[] = []
  shipments.forEach((shipment, index) => {
    const before = shipments[index - 1]
    const { metadata } = shipment
    if (metadata.sequence_number === 1 && metadata.previous !== undefined)
      faults.push(fault('SEQ_FORK', metadata.name, 'is number 1 and names a predecessor'))
    if (metadata.sequence_number > 1 && metadata.previous === undefined)
      faults.push(fault('SEQ_FORK', metadata.name, 'names no predecessor'))
    if (before === undefined) return
    if (metadata.chain.id !== before.metadata.chain.id) {
      faults.push(
        fault(
          'SEQ_WRONG_CHAIN',
          metadata.name,
          `belongs to chain ${metadata.chain.name} (${metadata.chain.id}), ${before.metadata.name} to ${before.metadata.chain.name} (${before.metadata.chain.id})`,
        ),
      )
    } else if (metadata.sequence_number === before.metadata.sequence_number) {
      faults.push(
        fault(
          'SEQ_FORK',
          metadata.name,
          `and ${before.metadata.name} both have number ${metadata.sequence_number}`,
        ),
      )
    } else if (metadata.sequence_number > before.metadata.sequence_number + 1) {
      faults.push(
        fault(
          'SEQ_GAP',
          metadata.name,
          `follows ${before.metadata.name}: number ${before.metadata.sequence_number + 1} is not here`,
        ),
      )
    } else if (metadata.previous !== before.metadataDigest) {
      faults.push(
        fault(
          'SEQ_FORK',
          metadata.name,
          `continues ${metadata.previous ?? 'nothing'}, but ${before.metadata.name} is ${before.metadataDigest}`,
        ),
      )
    }
  })
  return faults
}

const HINTS = {
  SEQ_FORK: 'Two histories meet here; find out which one the other side has, and set the other aside',
  SEQ_GAP: "Carry the metadata of the missing shipment too; its directory's small files are enough",
  SEQ_WRONG_CHAIN: 'Keep each chain in a content directory of its own',
} as const

function fault(code: keyof typeof HINTS, name: string, why: string): CarryallError {
  return new CarryallError(code, `${name} ${why}`, { subject: { kind: 'shipment', name }, hint: HINTS[code] })
}

async function directories(content: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(content, { withFileTypes: true })
    return entries
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map((entry) => entry.name)
      .sort()
  } catch (error) {
    throw fromSystemError(error, `read the content directory ${content}`)
  }
}
