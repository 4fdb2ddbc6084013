import { resolve } from 'node:path'
import type { TransferPlan } from '@carryall/schemas'
import type { PlanFlags } from './command.ts'

export interface CommandOptions {
  readonly flags: PlanFlags
  /** For paths that were given relative to it. */
  readonly cwd: string
}

const SHOWN = 4
const MEDIUM = '/media/usb'

/** What to type on this side: the plan into a file, then a command for each volume. Pure. */
export function sendingCommands(plan: TransferPlan, { flags, cwd }: CommandOptions): readonly string[] {
  const paths = (option: string, values: readonly string[]): string[] =>
    values.flatMap((value) => [option, resolve(cwd, value)])
  const words = [
    'transfer-plan',
    ...plan.chains.map((chain) => chain.directory),
    ...plan.chains.flatMap(({ name, target }) => ['--target', `${name}=${target.sequence_number}`]),
    ...paths('--have', flags.have),
    ...(flags['have-nothing'] ? ['--have-nothing'] : []),
    ...(flags['one-way'] ? ['--one-way'] : []),
    ...flags.assert.flatMap((word) => ['--assert', word]),
    ...(plan.site === undefined ? [] : ['--site', plan.site]),
    ...plan.media.flatMap(({ name }) => ['--media', name]),
    ...reserved(flags),
    ...(flags.filesystem === undefined ? [] : ['--filesystem', flags.filesystem]),
    ...paths('--trust', flags.trust === undefined ? [] : [flags.trust]),
  ]
  const several = plan.volumes.length > 1
  const packs = plan.volumes.map(
    ({ number, medium }) =>
      `transfer-pack plan.json${several ? ` --volume ${number}` : ''} --out ${quoted(mountOf(medium.name))}`,
  )
  return [
    `${words.map(quoted).join(' ')} > plan.json`,
    ...packs.slice(0, SHOWN),
    ...(packs.length > SHOWN ? [`... and so on, through --volume ${packs.length}`] : []),
  ]
}

/** What to type on the far side, and what becomes of its answer. Pure. */
export function receivingCommands(plan: TransferPlan): readonly string[] {
  const medium = quoted(mountOf(plan.media[0]?.name ?? ''))
  const isSequence = plan.chains.every((chain) =>
    chain.shipments.every((shipment) => shipment.metadata_file.startsWith('seq-')),
  )
  return [
    isSequence
      ? `transfer-unpack ${medium} --content /srv/content | seq-push - docker://REGISTRY --receipt receipt.json`
      : `transfer-unpack ${medium} --content /srv/content --receipt receipt.json`,
  ]
}

function reserved({ reserve }: PlanFlags): readonly string[] {
  if ('percent' in reserve) return ['--reserve', `${reserve.percent}%`]
  return reserve.bytes === 0 ? [] : ['--reserve', String(reserve.bytes)]
}

/** Where a medium is mounted, as far as anyone said so. */
function mountOf(medium: string): string {
  return medium.startsWith('dir:') ? medium.slice('dir:'.length) : MEDIUM
}

/** A word as a shell takes it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}
