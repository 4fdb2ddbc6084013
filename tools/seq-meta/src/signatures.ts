import { resolve } from 'node:path'
import type { Context } from '@carryall/cli'
import { CarryallError, isCarryallError } from '@carryall/errors'
import type { Fault } from '@carryall/schemas'
import { inParallel, type Shipment } from '@carryall/shipment'
import { readSignedSums, requireSignatures, signedShipment } from '@carryall/site'
import { readTrust, takesChain, thresholdFor, type Trust } from '@carryall/trust'

type Incoming = Awaited<ReturnType<typeof signedShipment>>

/** What trusted keys say about a shipment. */
export interface SignatureCheck {
  readonly signed: boolean
  readonly signers: readonly string[]
  readonly faults: readonly Fault[]
}

/** Checks a shipment as one of `chain`, the shipments of its content directory by number. */
export type CheckSignatures = (shipment: Shipment, chain: readonly Shipment[]) => Promise<SignatureCheck>

/**
 * Reads the trust file; undefined where none is named and there is none. A shipment that enough keys signed vouches for those
 * before it, to which its links lead back. Throws as `readTrust`.
 */
export async function signatureChecks(
  context: Context,
  file: string | undefined,
): Promise<CheckSignatures | undefined> {
  const trust = await readTrust({
    ...(file === undefined ? {} : { path: resolve(context.cwd, file) }),
    etc: context.etc,
    now: context.clock(),
  })
  if (trust === undefined) return undefined
  const known = new Map<string, Promise<Incoming>>()
  const read = (shipment: Shipment): Promise<Incoming> => {
    const found = known.get(shipment.directory) ?? incoming(shipment, trust, context.signal)
    known.set(shipment.directory, found)
    return found
  }
  return async (shipment, chain) => {
    const { id } = shipment.metadata.chain
    const threshold = thresholdFor(trust, id)
    const own = await read(shipment)
    let missing = unmet([own], own, threshold)
    if (missing.length > 0) {
      const later = await inParallel(laterThan(shipment, chain), read)
      missing = unmet([own, ...later], own, threshold)
    }
    // What was changed is said, even where enough others have signed.
    const broken = own.signatureFaults.filter(({ code }) => code === 'SIG_INVALID')
    const faults = new Set([
      ...(takesChain(trust, id) ? [] : [wrongChain(shipment, trust)]),
      ...missing,
      ...broken,
    ])
    return { signed: missing.length === 0, signers: own.signers, faults: [...faults].map(toFault) }
  }
}

function laterThan({ metadata }: Shipment, chain: readonly Shipment[]): readonly Shipment[] {
  return chain.filter(
    (one) =>
      one.metadata.chain.id === metadata.chain.id && one.metadata.sequence_number > metadata.sequence_number,
  )
}

async function incoming(shipment: Shipment, trust: Trust, signal: AbortSignal): Promise<Incoming> {
  try {
    const sums = await readSignedSums(shipment.directory)
    return await signedShipment(shipment, sums, { trust, carried: true, signal })
  } catch (error) {
    // Sums that are damaged are for `checkFiles` to tell; nothing is signed by them.
    if (!isCarryallError(error, 'INPUT_NOT_FOUND', 'DIGEST_MISMATCH', 'INDEX_MISMATCH')) throw error
    return { ...shipment, signers: [], signatureFaults: [], carried: true }
  }
}

function unmet(all: readonly Incoming[], own: Incoming, threshold: number): readonly CarryallError[] {
  try {
    requireSignatures(all, { wanted: [own], threshold, signedBefore: false })
    return []
  } catch (error) {
    if (!isCarryallError(error)) throw error
    return [error]
  }
}

function wrongChain({ metadata }: Shipment, trust: Trust): CarryallError {
  const { id, name } = metadata.chain
  return new CarryallError('SEQ_WRONG_CHAIN', `chain ${name} (${id}) is not one of those in ${trust.file}`)
}

function toFault({ code, message, details }: CarryallError): Fault {
  const { subject, expected, actual } = details
  return {
    code,
    message,
    ...(subject?.kind === 'file' ? { path: subject.name } : {}),
    ...(expected === undefined ? {} : { expected }),
    ...(actual === undefined ? {} : { actual }),
  }
}
