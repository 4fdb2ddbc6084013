import type { Context, Outcome } from '@carryall/cli'
import { CarryallError } from '@carryall/errors'
import { metadataFiles } from '@carryall/media'
import type { Volume } from '@carryall/schemas'
import { inParallel } from '@carryall/shipment'
import { carriedLoad } from './candidates.ts'
import type { Chain } from './chain.ts'
import { chooseTargets } from './choose-targets.ts'
import type { PlanFlags } from './command.ts'
import { cross, type Crossing } from './crossing.ts'
import { guidance } from './guidance.ts'
import { learn, type Knowledge } from './knowledge.ts'
import { makePlan } from './make-plan.ts'
import { readMedia } from './media.ts'
import { readChains } from './read-chains.ts'
import { readContents } from './read-contents.ts'
import { refuseDamaged } from './refuse-damaged.ts'
import { wayOf } from './way.ts'

/** `transfer-plan`: reads chains, receipts and media, and decides what has to cross. Nothing is written. */
export async function run(context: Context, flags: PlanFlags, operands: readonly string[]): Promise<Outcome> {
  const way = wayOf(flags)
  const media = await readMedia(flags.media.length === 0 ? ['unlimited'] : flags.media, {
    filesystem: flags.filesystem,
    reserve: flags.reserve,
    cwd: context.cwd,
  })
  const named = await readChains(context, operands, flags.content)
  if (named.length === 0)
    throw new CarryallError('INPUT_EMPTY', 'No shipment was given', {
      hint: 'Name a content directory or a shipment, or pipe shipments in',
    })
  const chains = chooseTargets(named, flags.target, context.cwd)
  const knowledge = await learn(context, way, chains, flags)
  const crossings: Crossing[] = []
  const current: Chain[] = []
  for (const chain of chains) {
    const crossing = await crossingOf(context, chain, knowledge)
    if (crossing === undefined) current.push(chain)
    else crossings.push(crossing)
  }
  const carried = carriedLoad(crossings).flatMap(({ members }) => members)
  await refuseDamaged(context, carried, flags.verify ? 'full' : 'fast')
  const plan = makePlan({
    site: knowledge.site,
    basis: knowledge.basis,
    crossings,
    current,
    metadata: await metadataOf(crossings),
    media,
    rate: flags.rate,
  })
  return {
    items: [{ document: plan, result: { ok: true, changed: plan.totals.shipments > 0 } }],
    table: () => guidance(plan, { flags, cwd: context.cwd }),
  }
}

async function crossingOf(
  context: Context,
  chain: Chain,
  knowledge: Knowledge,
): Promise<Crossing | undefined> {
  const standing = knowledge.standing(chain)
  const { metadata, metadataDigest } = chain.members[chain.target]!
  if (standing.complete.has(metadataDigest)) return undefined
  const crossing = cross({ chain, ...(await readContents(chain)), standing, site: knowledge.site })
  if (!crossing.exact)
    context.log.warn(`Chain ${chain.name} is so tangled that fewer bytes may do than are planned`)
  if (metadata.expires !== undefined && new Date(metadata.expires) <= context.clock())
    context.log.warn(`${metadata.name} has expired on ${metadata.expires}: a site refuses it`)
  return crossing
}

async function metadataOf(crossings: readonly Crossing[]): Promise<Volume['metadata']> {
  const all = crossings.flatMap(({ chain, shipments }) => shipments.map(({ member }) => ({ chain, member })))
  const files = await inParallel(all, ({ chain, member }) =>
    metadataFiles(member.directory, {
      chain: chain.name,
      shipment: member.metadata.name,
      metadata_file: member.metadataFile,
      metadata_digest: member.metadataDigest,
    }),
  )
  return files.flat().map(({ chain, shipment, path, size_bytes, stored }) => ({
    ...{ chain, shipment, path, size_bytes, stored },
  }))
}
