import { CarryallError } from '@carryall/errors'
import type { Incoming } from './judgement.ts'

/**
 * Demands that trusted keys vouch for all of `wanted`: by enough signatures of its own, or by a later shipment that they
 * vouch for and whose `previous` leads back to it. `shipments` are these and others of the chain, by number. Without a
 * threshold nothing is demanded, unless the chain was signed before. Gives whether the keys vouch for them. Pure.
 *
 * Throws SIG_MISSING, SIG_THRESHOLD, or what is wrong with the signatures where all that are there are bad (80).
 */
export function requireSignatures(
  shipments: readonly Incoming[],
  options: {
    readonly wanted: readonly Incoming[]
    readonly threshold: number | undefined
    readonly signedBefore: boolean
  },
): boolean {
  const { threshold, signedBefore } = options
  if (threshold === undefined) {
    if (signedBefore) throw forgotten()
    return false
  }
  const wanted = new Set(options.wanted.map((shipment) => shipment.metadataDigest))
  const vouched = vouchedFor(shipments, threshold)
  // The newest first: what is wrong with it is what there is to mend.
  for (const shipment of shipments.toReversed())
    if (wanted.has(shipment.metadataDigest) && !vouched.has(shipment.metadataDigest))
      throw unsigned(shipment, threshold)
  return true
}

/** Metadata digests of those that are signed well enough, and of those to which their links lead back. By number. Pure. */
export function vouchedFor(shipments: readonly Incoming[], threshold: number): ReadonlySet<string> {
  const vouched = new Set<string>()
  for (const shipment of shipments.toReversed()) {
    const { metadata, metadataDigest } = shipment
    if (!isSigned(shipment, threshold) && !vouched.has(metadataDigest)) continue
    vouched.add(metadataDigest)
    if (metadata.previous !== undefined) vouched.add(metadata.previous)
  }
  return vouched
}

/** Enough different trusted keys have signed this very shipment. */
export function isSigned({ signers }: Incoming, threshold: number): boolean {
  return new Set(signers).size >= threshold
}

function unsigned({ metadata, signers, signatureFaults }: Incoming, threshold: number): CarryallError {
  const { name } = metadata
  const subject = { kind: 'shipment', name } as const
  const count = new Set(signers).size
  const [fault] = signatureFaults
  if (count === 0 && fault !== undefined) return fault
  if (count === 0) {
    return new CarryallError('SIG_MISSING', `${name} is not signed, nor is a later one that continues it`, {
      subject,
      expected: threshold,
      actual: 0,
      hint: 'Have it signed with seq-meta sign on the other side, and carry its SHA256SUMS.*.asc with it',
    })
  }
  return new CarryallError(
    'SIG_THRESHOLD',
    `${name} is signed by ${count} trusted keys; ${threshold} are wanted`,
    {
      subject,
      expected: threshold,
      actual: count,
      hint: 'Have it signed by the others, too, with seq-meta sign, and carry their SHA256SUMS.*.asc',
      ...(fault === undefined ? {} : { cause: fault }),
    },
  )
}

function forgotten(): CarryallError {
  return new CarryallError(
    'SIG_MISSING',
    'This chain has landed signed here, and there is no trust file to check signatures by',
    {
      hint: 'Put the trust file back, as /etc/carryall/trust.yaml or with --trust FILE; unsigned is refused from the first signed shipment on',
    },
  )
}
