import { hash } from 'node:crypto'
import type { CarryallError } from '@carryall/errors'
import { API_VERSION, type ChainState, type ShipmentDocument } from '@carryall/schemas'
import { freshState, raise } from '../chain-state.ts'
import type { Incoming, SitePolicy } from '../judgement.ts'
import type { Known } from '../link.ts'

export const CHAIN = { id: '00000000-0000-4000-8000-000000000001', name: 'sample' }
export const KEY = 'A'.repeat(40)
export const NOW = new Date('2026-06-01T12:00:00.000Z')

export interface ShipmentOptions {
  /** Other words give another digest: another history. */
  readonly history?: string
  readonly previous?: Known | string | undefined
  readonly signers?: readonly string[]
  readonly faults?: readonly CarryallError[]
  readonly carried?: boolean
  /** More metadata, or other. */
  readonly extra?: Partial<ShipmentDocument>
}

/** A shipment of a chain as metadata alone, signed by `KEY`. */
export function shipment(number: number, options: ShipmentOptions = {}): Incoming {
  const { history: words = 'one', previous, signers = [KEY], faults = [], carried = true, extra } = options
  const metadata: ShipmentDocument = {
    apiVersion: API_VERSION,
    kind: 'Sample',
    chain: CHAIN,
    sequence_number: number,
    name: `seq${number}-${words}`,
    timestamp: new Date(Date.UTC(2026, 0, 1) + number).toISOString(),
    ...(previous === undefined
      ? {}
      : { previous: typeof previous === 'string' ? previous : previous.metadataDigest }),
    complete: number === 1,
    dependencies: [],
    tool: { name: 'by-hand', version: '1' },
    files: [],
    ...extra,
  }
  const metadataDigest = `sha256:${hash('sha256', JSON.stringify(metadata))}`
  return { metadata, metadataDigest, signers, signatureFaults: faults, carried }
}

/** Numbers `1` to `last`, each naming the one before it. */
export function history(last: number, options: ShipmentOptions = {}): readonly Incoming[] {
  const all: Incoming[] = []
  for (let number = 1; number <= last; number++)
    all.push(shipment(number, { ...options, previous: all.at(-1) }))
  return all
}

/** The state of a site at which these have landed. */
export function stateAt(
  landed: readonly Known[],
  options: { now?: Date; signed?: boolean } = {},
): ChainState {
  const { now = NOW, signed = true } = options
  return landed.reduce(
    (state, one) => raise(state, one, { now, signed, landed: true }),
    freshState(CHAIN, now),
  )
}

/** A site with a trust file that takes any chain. */
export function policy(changes: Partial<SitePolicy> = {}): SitePolicy {
  return {
    takesChain: () => true,
    threshold: 1,
    site: 'plant-a',
    now: NOW,
    allowExpired: false,
    acceptStateReset: false,
    ...changes,
  }
}
