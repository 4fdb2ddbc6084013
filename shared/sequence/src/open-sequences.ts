import { readChain } from '@carryall/shipment'
import { locateBlobs } from './locate.ts'
import { loadSequence, type LoadedSequence } from './read-sequence.ts'
import { sequenceStore, type SequenceStore } from './sequence-store.ts'

/** Every sequence of a content directory with its indexes, by number. Shipments of other lanes are passed over. */
export async function loadChain(content: string): Promise<readonly LoadedSequence[]> {
  const sequences: LoadedSequence[] = []
  for (const shipment of await readChain(content))
    if (shipment.metadata.kind === 'Sequence') sequences.push(await loadSequence(shipment))
  return sequences
}

/** A content directory as a read-only store of OCI content, straight from its archives. */
export async function openSequenceStore(content: string): Promise<SequenceStore> {
  const sequences = await loadChain(content)
  return sequenceStore(
    sequences.flatMap((sequence) => sequence.images),
    await locateBlobs(sequences),
  )
}
