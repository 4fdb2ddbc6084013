import { join, resolve } from 'node:path'
import type { Context, Item, Outcome } from '@carryall/cli'
import { commitFile } from '@carryall/durable'
import { CarryallError, isCarryallError, type ErrorCode } from '@carryall/errors'
import {
  checkFiles,
  formatSums,
  readSmall,
  signatureFile,
  SUMS_FILE,
  type Shipment,
} from '@carryall/shipment'
import { openSigner, type Signer } from '@carryall/trust'
import { shipments } from './operands.ts'
import { shipmentItem } from './show.ts'

interface Flags {
  readonly 'sign-key': string
  readonly 'gpg-home': string | undefined
  readonly 'passphrase-file': string | undefined
  readonly content: string | undefined
}

/**
 * `seq-meta sign`: adds the key's detached signature to each shipment, unless it is there and good. Before the first one is
 * signed all of them have to be whole by names, sizes and sums: exit 82 where one is not.
 */
export async function sign(context: Context, flags: Flags, operands: readonly string[]): Promise<Outcome> {
  const { signal } = context
  const found = await shipments(context, operands, flags.content)
  const faults: CarryallError[] = []
  for (const shipment of found) faults.push(...(await faultsOf(shipment, signal)))
  if (faults.length > 0) throw new AggregateError(faults, `${faults.length} faults were found`)
  const [home, passphraseFile] = [flags['gpg-home'], flags['passphrase-file']]
  const signer = await openSigner({
    key: flags['sign-key'],
    env: context.env,
    signal,
    ...(home === undefined ? {} : { home: resolve(context.cwd, home) }),
    ...(passphraseFile === undefined ? {} : { passphraseFile: resolve(context.cwd, passphraseFile) }),
  })
  const items: Item[] = []
  for (const shipment of found) {
    const changed = await signOne(shipment, signer, context.dryRun)
    const item = shipmentItem(shipment)
    items.push({ ...item, result: { ok: true, ...item.result, changed, signer: signer.fingerprint } })
  }
  return { items }
}

async function faultsOf(shipment: Shipment, signal: AbortSignal): Promise<readonly CarryallError[]> {
  const { name } = shipment.metadata
  const { faults } = await checkFiles(shipment, { mode: 'fast', signal })
  return faults.map(
    ({ code, message }) =>
      new CarryallError(code as ErrorCode, `Cannot sign ${name}: ${message}`, {
        subject: { kind: 'shipment', name },
        hint: 'Only what is whole is signed; mirror or carry this shipment again',
      }),
  )
}

/** Signs what the metadata says, not what happens to be in the file; true where that changed anything. */
async function signOne(shipment: Shipment, signer: Signer, dryRun: boolean): Promise<boolean> {
  const { directory, metadata, metadataFile, metadataDigest } = shipment
  const own = { path: metadataFile, sha256: metadataDigest.slice('sha256:'.length) }
  const sums = Buffer.from(formatSums([...metadata.files, own]))
  if (!sums.equals(await readSmall(join(directory, SUMS_FILE)))) {
    throw new CarryallError('INDEX_MISMATCH', `${SUMS_FILE} of ${metadata.name} differs from its metadata`, {
      subject: { kind: 'shipment', name: metadata.name },
    })
  }
  const file = join(directory, signatureFile(signer.fingerprint))
  const present = await readSmall(file).catch((error: unknown) =>
    isCarryallError(error, 'INPUT_NOT_FOUND') ? undefined : Promise.reject(error),
  )
  if (present !== undefined && (await signer.hasSigned(sums, present))) return false
  if (!dryRun) await commitFile(file, await signer.sign(sums))
  return true
}
