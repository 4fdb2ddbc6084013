import { resolve } from 'node:path'
import type { Context, Item, Outcome, Table } from '@carryall/cli'
import { commitFile } from '@carryall/durable'
import { CarryallError, Exit, strongest } from '@carryall/errors'
import { toPrettyJson } from '@carryall/schemas'
import { auditHead } from '@carryall/site'
import type { UnpackFlags } from './command.ts'
import { volumesOf } from './inputs.ts'
import { makeReceipt } from './receipt.ts'
import { openSite, type Site } from './site.ts'
import { takeIn, type Published, type TakeIn } from './take-in.ts'

/** `transfer-unpack`: reads volumes, publishes what is whole, writes the receipt. */
export async function run(
  context: Context,
  flags: UnpackFlags,
  operands: readonly string[],
): Promise<Outcome> {
  const site = await openSite(context, flags)
  if (flags['receipt-only']) return receiptOnly(context, flags, operands, site)
  await using work = takeIn(context, site)
  let volumes = 0
  for await (const source of volumesOf(context, operands)) {
    volumes++
    try {
      await work.volume(source)
    } finally {
      await source.close()
    }
  }
  if (volumes === 0)
    throw new CarryallError('INPUT_NOT_FOUND', 'No volume was found', {
      hint: 'Name a volume, a medium with volumes on it, an ISO image or "-" for a tar stream',
    })
  const errors = await work.errors()
  if (work.published.length === 0 && errors.length > 0) throw asOne(errors)
  if (flags.receipt !== undefined && !context.dryRun) await writeReceipt(context, flags, site)
  return outcome(work, errors, flags)
}

function asOne(errors: readonly CarryallError[]): unknown {
  return errors.length === 1 ? errors[0] : new AggregateError(errors, 'Nothing was published')
}

function outcome(work: TakeIn, errors: readonly CarryallError[], flags: UnpackFlags): Outcome {
  const published = work.published.toSorted(
    (a, b) => a.arriving.metadata.sequence_number - b.arriving.metadata.sequence_number,
  )
  return {
    items: published.map((one) => item(one, flags.receipt)),
    exit: strongest(errors.map((error) => error.exit)),
    errors,
    table: () => table(published),
  }
}

/** The shipment's own document, as any maker of shipments prints it. */
function item({ arriving, directory, signed, changed }: Published, receipt: string | undefined): Item {
  return {
    document: arriving.value as object,
    result: {
      ok: true,
      changed,
      directory,
      metadata_digest: arriving.metadataDigest,
      signed,
      ...(receipt === undefined ? {} : { receipt }),
    },
  }
}

function table(published: readonly Published[]): Table {
  return {
    columns: ['CHAIN', 'NAME', 'RESULT', 'SIGNED', 'DIRECTORY'],
    rows: published.map(({ arriving, directory, signed, changed }) => [
      arriving.metadata.chain.name,
      arriving.metadata.name,
      changed ? 'published' : 'was here',
      signed ? 'yes' : 'no',
      directory,
    ]),
  }
}

async function receiptOnly(
  context: Context,
  flags: UnpackFlags,
  operands: readonly string[],
  site: Site,
): Promise<Outcome> {
  if (operands.length > 0)
    throw new CarryallError('USAGE_CONFLICT', '--receipt-only takes no volumes', { actual: operands[0]! })
  const receipt = await readReceipt(context, site)
  if (flags.receipt !== undefined && !context.dryRun) await commitReceipt(context, flags, receipt)
  return {
    items: [{ document: receipt, result: { ok: true, changed: flags.receipt !== undefined } }],
    exit: Exit.OK,
  }
}

async function readReceipt(context: Context, site: Site): Promise<Awaited<ReturnType<typeof makeReceipt>>> {
  return makeReceipt(site.root, {
    site: site.name,
    auditHead: await auditHead(site.stateDir),
    now: context.now(),
    tool: context.tool,
  })
}

async function writeReceipt(context: Context, flags: UnpackFlags, site: Site): Promise<void> {
  await commitReceipt(context, flags, await readReceipt(context, site))
}

/** The receipt, and its signature where a key is given. */
async function commitReceipt(context: Context, flags: UnpackFlags, receipt: object): Promise<void> {
  const file = resolve(context.cwd, flags.receipt!)
  const bytes = Buffer.from(`${toPrettyJson(receipt)}\n`)
  const key = flags['sign-key']
  if (key === undefined) return commitFile(file, bytes)
  const { signDetached } = await import('@carryall/trust')
  const { armored } = await signDetached(bytes, {
    key,
    env: context.env,
    signal: context.signal,
    ...(flags['gpg-home'] === undefined ? {} : { home: resolve(context.cwd, flags['gpg-home']) }),
    ...(flags['passphrase-file'] === undefined
      ? {}
      : { passphraseFile: resolve(context.cwd, flags['passphrase-file']) }),
  })
  await commitFile(file, bytes)
  await commitFile(`${file}.asc`, armored)
}
