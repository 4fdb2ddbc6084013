import { resolve } from 'node:path'
import type { Context } from '@carryall/cli'
import { commitFile } from '@carryall/durable'
import { toPrettyJson, type Receipt } from '@carryall/schemas'
import type { Signer } from '@carryall/trust'
import type { PushFlags } from './command.ts'

/** The key that signs receipts, found before anything is pushed; undefined where none is wanted. */
export async function receiptSigner(context: Context, flags: PushFlags): Promise<Signer | undefined> {
  const key = flags['sign-key']
  if (key === undefined || flags.receipt === undefined) return undefined
  const { openSigner } = await import('@carryall/trust')
  const file = (name: 'gpg-home' | 'passphrase-file'): string | undefined =>
    flags[name] === undefined ? undefined : resolve(context.cwd, flags[name])
  const [home, passphraseFile] = [file('gpg-home'), file('passphrase-file')]
  return openSigner({
    key,
    env: context.env,
    signal: context.signal,
    ...(home === undefined ? {} : { home }),
    ...(passphraseFile === undefined ? {} : { passphraseFile }),
  })
}

/** Commits a receipt, and its detached signature as `<file>.asc` where there is a signer. */
export async function writeReceipt(
  file: string,
  receipt: Receipt,
  signer: Signer | undefined,
): Promise<void> {
  const bytes = Buffer.from(`${toPrettyJson(receipt)}\n`)
  const signature = await signer?.sign(bytes)
  await commitFile(file, bytes)
  if (signature !== undefined) await commitFile(`${file}.asc`, signature)
}
