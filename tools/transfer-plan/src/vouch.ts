import { basename } from 'node:path'
import { CarryallError, isCarryallError } from '@carryall/errors'
import { readSmall } from '@carryall/shipment'
import { checkSignatures, type Trust } from '@carryall/trust'
import type { FoundReceipt } from './choose-receipts.ts'

/**
 * Fingerprints of the keys that signed a receipt, in `<file>.asc`. Where the trust file lists its site, there has to be one.
 * Throws SIG_MISSING, and the first reason against a signature (80).
 */
export async function vouch(
  trust: Trust | undefined,
  { receipt, bytes, file }: FoundReceipt,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const isListed = trust?.policy.sites?.some(({ name }) => name === receipt.site) ?? false
  if (trust === undefined || !isListed) return []
  const signature = `${file}.asc`
  const { signers, faults } = await checkSignatures(trust, {
    site: receipt.site,
    data: bytes,
    signatures: [{ name: basename(signature), bytes: await read(signature, receipt.site, trust) }],
    signal,
  })
  if (signers.length === 0) throw faults[0] ?? unsigned(file, receipt.site, trust)
  return signers
}

async function read(signature: string, site: string, trust: Trust): Promise<Buffer> {
  try {
    return await readSmall(signature)
  } catch (error) {
    if (isCarryallError(error, 'INPUT_NOT_FOUND')) throw unsigned(signature, site, trust)
    throw error
  }
}

function unsigned(signature: string, site: string, trust: Trust): CarryallError {
  return new CarryallError(
    'SIG_MISSING',
    `Receipts of ${site} have to be signed, and there is no ${signature}`,
    {
      subject: { kind: 'file', name: signature },
      hint: `Bring the signature that belongs to the receipt; ${trust.file} lists the site`,
    },
  )
}
