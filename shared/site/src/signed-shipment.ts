import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { CarryallError, fromSystemError } from '@carryall/errors'
import { parseSums, readSmall, SIGNATURE, SUMS_FILE, type Shipment } from '@carryall/shipment'
import { checkSignatures, type SignatureFile, type Trust } from '@carryall/trust'
import type { Incoming } from './judgement.ts'

const MAX_SIGNATURES = 64
const MAX_SIGNATURE_BYTES = 64 * 1024

/** The signed object of a shipment: its sums, and the detached signatures over them. */
export interface SignedSums {
  readonly sums: Buffer
  readonly signatures: readonly SignatureFile[]
}

/** Reads `SHA256SUMS` and its signatures in a directory. Throws INPUT_NOT_FOUND without sums, INPUT_TOO_LARGE, IO_FAILED. */
export async function readSignedSums(directory: string): Promise<SignedSums> {
  const sums = await readSmall(join(directory, SUMS_FILE))
  const names = await readdir(directory).catch((error: unknown) =>
    Promise.reject(fromSystemError(error, `read ${directory}`)),
  )
  const signatures: SignatureFile[] = []
  for (const name of names
    .filter((one) => SIGNATURE.test(one))
    .sort()
    .slice(0, MAX_SIGNATURES))
    signatures.push({ name, bytes: await readSmall(join(directory, name), MAX_SIGNATURE_BYTES) })
  return { sums, signatures }
}

/**
 * A shipment with what trusted keys say of it; nobody is asked without `trust`. Signatures are over the sums, so the sums
 * have to name the metadata: throws DIGEST_MISMATCH, INDEX_MISMATCH (82) where they do not, and what `checkSignatures` throws.
 */
export async function signedShipment(
  shipment: Pick<Shipment, 'metadata' | 'metadataDigest' | 'metadataFile'>,
  { sums, signatures }: SignedSums,
  options: {
    readonly trust: Trust | undefined
    readonly carried: boolean
    readonly signal?: AbortSignal
  },
): Promise<Incoming> {
  const { metadata, metadataDigest, metadataFile } = shipment
  const named = parseSums(sums.toString('utf8'), `${SUMS_FILE} of ${metadata.name}`).get(metadataFile)
  if (`sha256:${named}` !== metadataDigest) {
    throw new CarryallError(
      'DIGEST_MISMATCH',
      `${metadataFile} of ${metadata.name} is not the one that ${SUMS_FILE} names`,
      {
        subject: { kind: 'shipment', name: metadata.name, digest: metadataDigest },
        expected: named === undefined ? 'absent' : `sha256:${named}`,
        actual: metadataDigest,
        hint: 'Carry this shipment again',
      },
    )
  }
  const { trust, carried, signal } = options
  const checked =
    trust === undefined
      ? { signers: [], faults: [] }
      : await checkSignatures(trust, {
          data: sums,
          signatures,
          chain: metadata.chain.id,
          ...(signal === undefined ? {} : { signal }),
        })
  return { metadata, metadataDigest, signers: checked.signers, signatureFaults: checked.faults, carried }
}
