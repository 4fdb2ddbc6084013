import { CarryallError } from '@carryall/errors'
import type { ChainState } from '@carryall/schemas'
import type { Incoming } from './judgement.ts'

/**
 * What lands borrows only from shipments that land with it, or that this site has accepted before: a plan that was made from
 * a wrong receipt is refused here. Whether an accepted one is still whole is for whoever takes it in to prove. Pure. Throws
 * SEQ_INCOMPLETE (83) with the shipments to carry.
 */
export function requireClosure(land: readonly Incoming[], state: ChainState): void {
  const there = new Set([
    ...land.map((shipment) => shipment.metadataDigest),
    ...state.digests.map((link) => link.metadata_digest),
  ])
  for (const { metadata } of land) {
    const lacking = metadata.dependencies.filter((dependency) => !there.has(dependency.metadata_digest))
    const [first] = lacking
    if (first === undefined) continue
    const names = lacking.map((dependency) => dependency.name).join(', ')
    throw new CarryallError(
      'SEQ_INCOMPLETE',
      `${metadata.name} needs ${names}: neither in this set nor ever accepted here`,
      {
        subject: { kind: 'shipment', name: metadata.name },
        expected: first.metadata_digest,
        actual: 'absent',
        hint: `Have ${names} carried, too: plan from a receipt that this site writes now`,
      },
    )
  }
}
