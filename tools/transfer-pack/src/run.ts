import { resolve } from 'node:path'
import type { Context, Outcome, Table } from '@carryall/cli'
import { CarryallError } from '@carryall/errors'
import { humanSize, type PlannedVolume, type TransferPlan, type Volume } from '@carryall/schemas'
import { encryptTo, openSigner, type Signer } from '@carryall/trust'
import { checkFlags } from './check-flags.ts'
import type { PackFlags } from './command.ts'
import { dryRun } from './dry-run.ts'
import { holdOut, isMountPoint } from './hold-out.ts'
import { openSources } from './open-sources.ts'
import type { PackedVolume, PackOptions } from './pack.ts'
import { prove } from './prove.ts'
import { rateLimit } from './rate-limit.ts'
import { readPlan, selectVolumes } from './read-plan.ts'
import { volumeJob } from './volume-job.ts'
import { writeDirectories } from './write-directories.ts'
import { writeImages } from './write-images.ts'
import { writeStream } from './write-stream.ts'

/** `transfer-pack`: reads the plan, proves what it speaks of, writes its volumes. */
export async function run(context: Context, flags: PackFlags, operands: readonly string[]): Promise<Outcome> {
  checkFlags(flags)
  const plan = await readPlan(context, operands)
  const volumes = selectVolumes(plan, flags.volume)
  // Nothing has to cross: the plan passes on, for the next in the pipe to see.
  if (volumes.length === 0) return { items: [{ document: plan, result: { ok: true, changed: false } }] }
  const out = flags.out === undefined ? undefined : resolve(context.cwd, flags.out)
  if (out !== undefined && !flags.iso) await refuseWholeSet(out, plan, volumes)
  const options = await packOptions(context, flags, plan, volumes)
  await prove(out, volumes, flags, options)
  const packed = await write(context, flags, out, options)
  return { items: packed, table: () => table(packed) }
}

async function write(
  context: Context,
  flags: PackFlags,
  out: string | undefined,
  options: PackOptions,
): Promise<readonly PackedVolume[]> {
  if (context.dryRun) return dryRun(out, flags.iso, options)
  if (out === undefined) return writeStream(context.stdout, options)
  const { waitSeconds, signal, tool } = context
  await using _lock = await holdOut(out, { holder: `${tool.name} ${tool.version}`, waitSeconds, signal })
  return flags.iso ? await writeImages(out, options) : await writeDirectories(out, options)
}

async function packOptions(
  context: Context,
  flags: PackFlags,
  plan: TransferPlan,
  volumes: readonly PlannedVolume[],
): Promise<PackOptions> {
  const { env, signal, tool, progress, log } = context
  const home = flags['gpg-home'] === undefined ? {} : { home: flags['gpg-home'] }
  const recipients = flags['encrypt-to']
  const encryptor =
    recipients.length === 0 ? undefined : await encryptTo(recipients, { env, signal, ...home })
  const sources = await openSources(
    plan,
    flags.content === undefined ? undefined : resolve(context.cwd, flags.content),
  )
  const about = { tool, metadata: sources.metadata, encryptor, encryptMetadata: flags['encrypt-metadata'] }
  return {
    jobs: volumes.map(({ number }) => volumeJob(plan, number, about)),
    sources,
    total: plan.volumes.length,
    link: flags.link,
    encryptor,
    signers: await openSigners(context, flags),
    verifyMedia: flags['verify-media'],
    force: flags.force,
    limiter: rateLimit(flags['rate-limit']),
    progress,
    log,
    signal,
  }
}

async function openSigners({ env, signal }: Context, flags: PackFlags): Promise<readonly Signer[]> {
  const signers: Signer[] = []
  const passphraseFile = flags['sign-passphrase-file']
  const home = flags['gpg-home']
  for (const key of flags['sign-key'])
    signers.push(
      await openSigner({
        ...{ key, env, signal },
        ...(home === undefined ? {} : { home }),
        ...(passphraseFile === undefined ? {} : { passphraseFile }),
      }),
    )
  return signers
}

/** A set of several volumes onto one mounted medium is not what anyone wants. */
async function refuseWholeSet(
  out: string,
  plan: TransferPlan,
  volumes: readonly PlannedVolume[],
): Promise<void> {
  if (volumes.length === 1 || !(await isMountPoint(out))) return
  throw new CarryallError(
    'USAGE_CONFLICT',
    `${out} is one medium, and ${volumes.length} volumes are to be written`,
    {
      subject: { kind: 'flag', name: 'volume' },
      hint: `Name the volume for it with --volume N, of 1 to ${plan.volumes.length}; or name a directory on it for all of them`,
    },
  )
}

function table(packed: readonly PackedVolume[]): Table {
  const placeOf = ({ result }: PackedVolume): string =>
    String(result['directory'] ?? result['file'] ?? 'stdout')
  const volumeOf = ({ document }: PackedVolume): Volume => document
  return {
    columns: ['VOLUME', 'OUTCOME', 'FILES', 'SIZE', 'PLACE'],
    rows: packed.map((one) => [
      `${volumeOf(one).number} of ${volumeOf(one).volumes}`,
      one.result.changed ? 'written' : 'already there',
      volumeOf(one).entries.length,
      humanSize(Number(one.result['bytes'])),
      placeOf(one),
    ]),
    notes: ['Check one anywhere: sha256sum -c SHA256SUMS'],
  }
}
