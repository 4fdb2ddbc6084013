import { formatBytes } from '@carryall/cli'
import { CarryallError } from '@carryall/errors'
import type { Catalogue } from './catalogue.ts'
import type { Chain } from './chain.ts'
import type { Lack } from './closure.ts'

/** Why the target of a chain cannot become complete: SEQ_INCOMPLETE (83), one for each shipment that lacks. Pure. */
export function incomplete(
  chain: Chain,
  catalogue: Pick<Catalogue, 'bytesOf'>,
  lacking: readonly Lack[],
): readonly CarryallError[] {
  const { metadata, here } = chain.members[chain.target]!
  if (!here) {
    return [
      lacks(
        metadata.name,
        `Only the metadata of ${metadata.name} is left in ${chain.directory}`,
        'Bring it back, or choose another --target',
      ),
    ]
  }
  const names = namesOf(chain)
  const byLender = Map.groupBy(lacking, (lack) => lack.lender)
  return [...byLender]
    .sort(([a], [b]) => a - b)
    .map(([lender, items]) => {
      const bytes = items.reduce((sum, { item }) => sum + catalogue.bytesOf(item), 0)
      const name = names.get(lender) ?? `number ${lender}`
      const what = bytes === 0 ? '' : ` (${items.length} blobs, ${formatBytes(bytes)})`
      return lacks(
        name,
        `${metadata.name} needs what ${name} should hold${what}; nobody holds it in ${chain.directory}, and the site is not known to have it`,
        `Bring ${name} back into ${chain.directory}, or give a receipt that shows it at the site`,
      )
    })
}

/** Names by number, also of shipments that are not here. */
function namesOf({ members }: Chain): ReadonlyMap<number, string> {
  return new Map(
    members.flatMap(({ metadata }) => [
      ...metadata.dependencies.map((one) => [one.sequence_number, one.name] as const),
      [metadata.sequence_number, metadata.name] as const,
    ]),
  )
}

function lacks(name: string, message: string, hint: string): CarryallError {
  return new CarryallError('SEQ_INCOMPLETE', message, { subject: { kind: 'shipment', name }, hint })
}
