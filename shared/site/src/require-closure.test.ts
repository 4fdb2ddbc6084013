import { expect, test } from 'vitest'
import type { ChainState, ShipmentDocument } from '@carryall/schemas'
import { freshState, raise } from './chain-state.ts'
import type { Incoming } from './judgement.ts'
import { requireClosure } from './require-closure.ts'

const chain = { id: '00000000-0000-4000-8000-000000000001', name: 'sample' }
const now = new Date('2026-01-02T00:00:00Z')
const digest = (number: number): string => `sha256:${String(number).repeat(64)}`

function shipment(number: number, needs: readonly number[]): Incoming {
  const dependencies = needs.map((one) => ({
    sequence_number: one,
    name: `seq${one}`,
    metadata_digest: digest(one),
  }))
  const metadata = {
    sequence_number: number,
    name: `seq${number}`,
    chain,
    dependencies,
  } as unknown as ShipmentDocument
  return { metadata, metadataDigest: digest(number), signers: [], signatureFaults: [], carried: true }
}

const accepted = (...numbers: number[]): ChainState =>
  numbers.reduce(
    (state, number) => raise(state, shipment(number, []), { now, signed: false, landed: false }),
    freshState(chain, now),
  )

test('what lands with it, or was accepted before, may be borrowed from', () => {
  expect(() => requireClosure([shipment(2, [1]), shipment(3, [1, 2])], accepted(1))).not.toThrow()
})

test('what is neither is named', () => {
  expect(() => requireClosure([shipment(4, [1, 2, 3])], accepted(1))).toThrow(
    expect.objectContaining({
      code: 'SEQ_INCOMPLETE',
      exit: 83,
      message: expect.stringContaining('seq2, seq3') as string,
    }) as Error,
  )
})
