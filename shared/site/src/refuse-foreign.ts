import { CarryallError } from '@carryall/errors'
import type { ChainState, ShipmentDocument } from '@carryall/schemas'
import type { SitePolicy } from './judgement.ts'
import type { Known } from './link.ts'

interface ForeignInput {
  readonly chain: ShipmentDocument['chain']
  readonly state?: ChainState | undefined
  /** Everything that is here or has come. */
  readonly shipments: readonly Known[]
  readonly policy: Pick<SitePolicy, 'takesChain'>
}

/**
 * One chain has one id and one name, and the site takes it. Pure. Throws SEQ_WRONG_CHAIN (81): a chain that the trust file
 * does not list, another id under this name, another name for this id.
 */
export function refuseForeignChain({ chain, state, shipments, policy }: ForeignInput): void {
  if (!policy.takesChain(chain.id)) {
    throw new CarryallError(
      'SEQ_WRONG_CHAIN',
      `Chain ${chain.name} (${chain.id}) is not one that this site takes`,
      {
        actual: chain.id,
        hint: 'Carry the chain that was agreed on, or have it listed under "chains" of the trust file',
      },
    )
  }
  const named = [
    ...(state === undefined ? [] : [{ name: 'the state of this site', of: state.chain }]),
    ...shipments.map(({ metadata }) => ({ name: metadata.name, of: metadata.chain })),
  ]
  for (const { name, of } of named) {
    if (of.id === chain.id && of.name === chain.name) continue
    throw new CarryallError(
      'SEQ_WRONG_CHAIN',
      `Chain ${chain.name} (${chain.id}) is wanted, ${name} says ${of.name} (${of.id})`,
      {
        expected: `${chain.name} ${chain.id}`,
        actual: `${of.name} ${of.id}`,
        hint: 'Keep each chain in a content directory of its own, under one name',
      },
    )
  }
}

/** Refuses what its sender meant for other sites. Pure. Throws SEQ_WRONG_SITE (81). */
export function refuseForeignSite(shipments: readonly Known[], site: string | undefined): void {
  for (const { metadata } of shipments) {
    if (site === undefined || metadata.site === undefined || metadata.site.includes(site)) continue
    throw new CarryallError(
      'SEQ_WRONG_SITE',
      `${metadata.name} is for ${metadata.site.join(', ')}, not for ${site}`,
      {
        subject: { kind: 'shipment', name: metadata.name },
        expected: site,
        actual: metadata.site.join(', '),
        hint: 'Take what was made for this site, or correct the name of this site',
      },
    )
  }
}
