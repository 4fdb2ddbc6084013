import { formatBytes, formatSeconds, type Table } from '@carryall/cli'
import type { PlannedVolume, TransferPlan } from '@carryall/schemas'
import { receivingCommands, sendingCommands, type CommandOptions } from './commands.ts'

/** A plan for people: what to carry, in which order, what has to be there, what else could be done, and what to type. Pure. */
export function guidance(plan: TransferPlan, options: CommandOptions): Table {
  const carried = plan.chains.flatMap(({ name, shipments }) =>
    shipments.filter((one) => one.carried).map((one) => ({ chain: name, ...one })),
  )
  const several = plan.chains.length > 1
  return {
    columns: ['ORDER', 'SHIPMENT', 'SIZE', 'WHY'],
    rows: carried.map(({ chain, name, size_bytes, reason }, at) => [
      at + 1,
      several ? `${chain}/${name}` : name,
      formatBytes(size_bytes),
      reason,
    ]),
    notes: [
      ...(plan.current ?? []).map(
        ({ name, target }) =>
          `${name}: ${target.name} is complete at ${plan.site ?? 'the site'}; nothing of this chain has to cross`,
      ),
      ...(plan.chains.length === 0 ? [] : details(plan, options)),
    ],
  }
}

function details(plan: TransferPlan, options: CommandOptions): readonly string[] {
  return [
    ...plan.chains.flatMap((chain) => chainLines(chain, plan)),
    '',
    ...volumeLines(plan),
    '',
    '# What else could be carried (* is this plan)',
    ...columns(
      plan.alternatives.map((one) => [
        one.chosen ? '*' : '',
        one.name,
        formatBytes(one.size_bytes),
        one.volumes === 0 ? 'does not fit' : plural(one.volumes, 'volume'),
        one.trade_off,
      ]),
    ),
    '',
    '# Connected side',
    ...sendingCommands(plan, options),
    '',
    plan.volumes.length > 1
      ? '# Air-gapped side, for each volume, in any order, as they arrive'
      : '# Air-gapped side',
    ...receivingCommands(plan),
    '',
    'Bring receipt.json back, with its signature where it has one: by --have receipt.json the next trip carries only what is new',
  ]
}

function chainLines(
  { name, target, present, shipments }: TransferPlan['chains'][number],
  { site = 'the site', basis }: TransferPlan,
): readonly string[] {
  const links = shipments.filter((one) => !one.carried).length
  const by = basis.mode === 'asserted' ? 'by your word' : 'by its receipt'
  return [
    `# ${name}: ${target.name} is complete at ${site} once all of this has arrived`,
    present.length === 0
      ? 'Nothing has to be there already'
      : `Has to be there already: ${present.map((one) => one.name).join(', ')} (${by})`,
    ...(links === 0
      ? []
      : [`The metadata of ${plural(links, 'more shipment')} goes along, as links of the chain`]),
  ]
}

function volumeLines({ totals, volumes }: TransferPlan): readonly string[] {
  const time = totals.seconds === undefined ? '' : `, ${formatSeconds(totals.seconds)} to copy`
  return [
    `# ${formatBytes(totals.size_bytes)} in ${plural(totals.files, 'file')} on ${plural(totals.volumes, 'volume')}${time}`,
    ...columns(
      volumes.map((volume) => [
        `volume ${volume.number}`,
        volume.medium.name,
        volume.medium.filesystem,
        formatBytes(volume.used_bytes),
        ...(volume.seconds === undefined ? [] : [formatSeconds(volume.seconds)]),
        contentsOf(volume),
      ]),
    ),
  ]
}

function contentsOf({ entries }: PlannedVolume): string {
  const shipments = [...new Set(entries.map((entry) => entry.shipment))]
  const parts = entries.filter((entry) => entry.part !== undefined).length
  return [...shipments, ...(parts === 0 ? [] : [`(${plural(parts, 'part')})`])].join(' ')
}

function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const width = (at: number): number => Math.max(...rows.map((row) => row[at]?.length ?? 0))
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(width(at)))
      .join('  ')
      .trimEnd(),
  )
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
