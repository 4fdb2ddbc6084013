import { lstat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Context, Outcome } from '@carryall/cli'
import { commitFile } from '@carryall/durable'
import { CarryallError } from '@carryall/errors'
import {
  imageSetConfigurationKind,
  parseKind,
  readDocuments,
  type ImageSetConfiguration,
} from '@carryall/schemas'
import { signatureFile, type Shipment } from '@carryall/shipment'
import type { Signer } from '@carryall/trust'
import type { MirrorFlags } from './command.ts'
import { expiry } from './expiry.ts'
import { openPorts, readConfig } from './io.ts'
import { mapping } from './mapping.ts'
import { mirror, type MirrorOutcome, type MirrorRequest } from './mirror.ts'
import { planTable, sequenceTable } from './tables.ts'
import { wantedImages } from './wanted-images.ts'

const DESCRIPTION = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/
const CHAIN = /^[a-z0-9][a-z0-9._-]{0,62}$/

/** `mirror-seq`: reads the configuration, mirrors, and says what came of it. */
export async function run(context: Context, flags: MirrorFlags): Promise<Outcome> {
  const bytes = await readConfig(context, flags.config)
  const origin = flags.config === '-' ? '<stdin>' : flags.config
  const request = requestFrom(context, flags, bytes, origin)
  const ports = await openPorts(context, flags, hostsOf(request.config, origin))
  try {
    const outcome = await mirror(request, ports).catch((error: unknown) => {
      throw inFile(error, origin)
    })
    if (flags.mapping !== undefined && 'plan' in outcome)
      await commitFile(flags.mapping, mapping(outcome.plan.images))
    if (outcome.done === 'unchanged') await warnUnsigned(context, ports.signer, outcome.sequence.shipment)
    return present(outcome)
  } finally {
    await ports.close()
  }
}

/** The registries that a configuration names, before anything is asked of them. */
function hostsOf(config: ImageSetConfiguration, origin: string): readonly string[] {
  try {
    const { images } = wantedImages(config)
    return images.flatMap(({ reference }) => reference.host ?? [])
  } catch (error) {
    throw inFile(error, origin)
  }
}

/** What was published without the signature that is now asked for stays so, and is not to be taken for signed. */
async function warnUnsigned(context: Context, signer: Signer | undefined, shipment: Shipment): Promise<void> {
  if (signer === undefined) return
  const file = join(shipment.directory, signatureFile(signer.fingerprint))
  if ((await lstat(file).catch(() => undefined)) !== undefined) return
  context.log.warn(
    `${shipment.metadata.name} is there already, without a signature of ${signer.fingerprint}; seq-meta sign adds it`,
  )
}

function requestFrom(
  context: Context,
  flags: MirrorFlags,
  configBytes: Buffer,
  origin: string,
): MirrorRequest {
  const documents = readDocuments(configBytes, origin)
  if (documents.length !== 1)
    throw new CarryallError(
      'SCHEMA_INVALID',
      `${origin} holds ${documents.length} documents; one ImageSetConfiguration is wanted`,
    )
  const images = flags['parallel-images']
  return {
    config: parseKind(imageSetConfigurationKind, documents[0], origin),
    configBytes,
    configSource: flags.config === '-' ? 'stdin' : basename(flags.config),
    content: flags.content,
    chain: grammar('chain', flags.chain, CHAIN),
    description: grammar('description', flags.description, DESCRIPTION),
    site: flags.site,
    expires: expiry(flags.expires, context.now()),
    expiresAs: flags.expires,
    newBaseline: flags['new-baseline'],
    takeOver: flags['take-over'],
    restart: flags.restart,
    signatures: !flags['remove-signatures'],
    foreignLayers: flags['foreign-layers'],
    strictArchive: flags['strict-archive'],
    parallelImages: images,
    parallel: Math.min(64, flags['max-parallel-downloads'] ?? images * flags['parallel-layers']),
    imageTimeoutMs: flags['image-timeout'] * 1000,
    dryRun: context.dryRun,
    waitSeconds: context.waitSeconds,
  }
}

function grammar(flag: string, value: string | undefined, pattern: RegExp): string | undefined {
  if (value === undefined || pattern.test(value)) return value
  throw new CarryallError(
    'USAGE_BAD_VALUE',
    `--${flag} "${value}" cannot be used: it becomes part of a directory name`,
    {
      subject: { kind: 'flag', name: flag },
      hint: `Use letters, digits, ".", "_" and "-"`,
    },
  )
}

function present(outcome: MirrorOutcome): Outcome {
  if (outcome.done === 'failed') throw failure(outcome.errors)
  if (outcome.done === 'planned') {
    return {
      items: [{ document: outcome.plan, result: { ok: true, changed: outcome.changed } }],
      table: () => planTable(outcome.plan),
    }
  }
  const { shipment, metadata } = outcome.sequence
  const result = {
    ok: true,
    changed: outcome.done === 'published',
    directory: shipment.directory,
    metadata_digest: shipment.metadataDigest,
    ...(outcome.plan.skipped.length === 0 ? {} : { skipped: outcome.plan.skipped }),
    ...(outcome.plan.blocked.length === 0 ? {} : { blocked: outcome.plan.blocked }),
  }
  return {
    items: [{ document: shipment.value as object, result }],
    table: () => sequenceTable(metadata, result),
  }
}

/** An error of the configuration with the file that it is in. */
function inFile(error: unknown, file: string): unknown {
  if (
    !(error instanceof CarryallError) ||
    error.details.pointer === undefined ||
    error.details.location !== undefined
  )
    return error
  return new CarryallError(error.code, error.message, { ...error.details, location: { file } })
}

/** All failures as one, which are then told one by one. */
function failure(errors: readonly unknown[]): unknown {
  return errors.length === 1 ? errors[0] : new AggregateError(errors, `${errors.length} images failed`)
}
