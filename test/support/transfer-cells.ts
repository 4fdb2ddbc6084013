import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { Exit } from '@carryall/errors'
import { readShipment, type Shipment } from '@carryall/shipment'
import { checkAuditLog } from '@carryall/site'
import { openFiles } from './open-files.ts'
import { treeOf } from './storage.ts'
import {
  auditOf,
  cloneFar,
  passed,
  published,
  snapshot,
  stateOf,
  unpack,
  type Far,
  type Unpack,
  type Unpacked,
} from './transfer-far.ts'
import type { Standing } from './transfer-sites.ts'
import type { Media, World } from './transfer-world.ts'

/** What comes to a far side, and how it is called. */
export interface Given {
  /** All that may land. */
  readonly media: readonly Media[]
  /** All volumes of the media, in their order, if absent. */
  readonly operands?: readonly string[]
  /** `--trust` and its file are given unless it is `none`; the build key's if absent. */
  readonly trust?: string
  readonly flags?: readonly string[]
  readonly now?: Date
  /** What happened to the far side before. */
  readonly before?: (far: Far) => Promise<unknown>
  /** With these volumes after it, the next shipment lands. */
  readonly cure?: readonly string[]
}

/**
 * Exit, codes in the order in which they are told, and what landed, relative to the newest that was here: `+1` the next,
 * `+1m` its metadata alone. `0 nothing` where all was here.
 */
export type Expected = string

export interface Row {
  readonly input: string
  readonly give: (newest: number, standing: Standing) => Promise<Given>
  /** One for all standings, or one for each. */
  readonly expected: Expected | readonly Expected[]
  /** Volumes are damaged or missing: nothing is refused as a whole, what is whole of them is kept in staging. */
  readonly damage?: true
}

export interface Cell {
  readonly input: string
  readonly standing: string
  readonly expected: Expected
  readonly row: Row
  readonly index: number
}

/** Every row at every standing. */
export function cellsOf(rows: readonly Row[], standings: readonly string[]): readonly Cell[] {
  return rows.flatMap((row) =>
    standings.map((standing, index) => ({
      input: row.input,
      standing,
      expected: typeof row.expected === 'string' ? row.expected : row.expected[index]!,
      row,
      index,
    })),
  )
}

/** Lets what a row gives come to a copy of a far side, and holds what is there then to what is right. */
export async function checkCell(
  world: World,
  { row, expected }: Cell,
  standing: Standing,
  options: { readonly now: Date; readonly unpack?: Unpack },
): Promise<void> {
  const call = options.unpack ?? unpack
  const given = await row.give(standing.newest, standing)
  const far = await cloneFar(standing.far, world.fresh('far'))
  await given.before?.(far)
  const before = await lookAt(far)
  const flags = [
    ...(given.trust === 'none' ? [] : ['--trust', given.trust ?? (await world.trust(['build']))]),
    ...(given.flags ?? []),
  ]
  const operands = given.operands ?? given.media.flatMap(({ volumes }) => volumes)
  const now = given.now ?? options.now
  const ran = await call(far, operands, { flags, now })
  expect(await openFiles(far.content)).toEqual([])
  const after = await lookAt(far)
  const landed = await landedSince(far, before, after)

  const told = [...landed].map(([, { metadata }]) => metadata.sequence_number)
  const links = newNames(before.passed, after.passed)
  expect(outcome(ran, standing.newest, told, links), JSON.stringify(ran.errors)).toBe(expected)

  // A run that was killed is settled, and a state is made anew where that was asked for, also where nothing is to be landed.
  const settles = ran.exit === 0 && (standing.killed || flags.includes('--accept-state-reset'))
  if (landed.size === 0 && !row.damage && !settles) expect(after.tree).toEqual(before.tree)
  expect(keptOf(after.tree, before)).toEqual(keptOf(before.tree, before))
  await expectRight(far, landed, given, ran)
  await expectSettled(far, ran)
  expectAudited(after.audit.slice(before.audit.length), ran, { landed, flags, standing })
  if (after.audit.length > 0) expect((await checkAuditLog(join(far.state, 'audit.ndjson'))).intact).toBe(true)

  if (ran.exit === 0 && standing.name === 'at 5') {
    const again = await call(far, operands, { flags, now })
    expect(again.errors).toEqual([])
    expect(await snapshot(far)).toEqual(after.tree)
  }
  if (given.cure !== undefined) {
    const cured = await call(far, given.cure, { flags, now })
    expect(cured).toMatchObject({ exit: 0, errors: [] })
    await expectRight(far, await landedSince(far, after, await lookAt(far)), given, cured)
    expect(newNames(before.published, (await lookAt(far)).published)).toHaveLength(1)
  }
}

interface Look {
  readonly tree: Readonly<Record<string, string>>
  readonly published: readonly string[]
  readonly passed: readonly string[]
  readonly audit: Awaited<ReturnType<typeof auditOf>>
}

async function lookAt(far: Far): Promise<Look> {
  return {
    tree: await snapshot(far),
    published: await published(far),
    passed: await passed(far),
    audit: await auditOf(far),
  }
}

async function landedSince(far: Far, before: Look, after: Look): Promise<ReadonlyMap<string, Shipment>> {
  const found = new Map<string, Shipment>()
  for (const name of newNames(before.published, after.published))
    found.set(name, await readShipment(join(far.content, name)))
  return found
}

function newNames(before: readonly string[], after: readonly string[]): readonly string[] {
  return after.filter((name) => !before.includes(name))
}

function outcome(
  { exit, errors }: Unpacked,
  newest: number,
  landed: readonly number[],
  links: readonly string[],
): string {
  const relative = (number: number): string => `${number < newest ? '' : '+'}${number - newest}`
  const came = [
    ...links.map((name) => [Number(/seq(\d+)/.exec(name)![1]), 'm'] as const),
    ...landed.map((number) => [number, ''] as const),
  ].sort(([a], [b]) => a - b)
  const words = [...errors.map(({ code }) => code), ...came.map(([number, mark]) => relative(number) + mark)]
  return [exit, ...(exit === 0 && words.length === 0 ? ['nothing'] : words)].join(' ')
}

/** What was published, and its headstones, are as they were whatever comes. */
function keptOf(tree: Look['tree'], { tree: before }: Look): Readonly<Record<string, string>> {
  const kept = /^content\/[^/]+\/(?:[^.]|\.carryall\/(?:headstones|passed)\/)/
  return Object.fromEntries(Object.entries(tree).filter(([name]) => kept.test(name) && name in before))
}

/** Byte for byte what was sent, and the documents name just these. */
async function expectRight(
  far: Far,
  landed: ReadonlyMap<string, Shipment>,
  { media }: Given,
  ran: Unpacked,
): Promise<void> {
  const sent = media.flatMap(({ shipments }) => shipments)
  for (const [name, { metadataDigest }] of landed) {
    const source = sent.find((one) => one.metadataDigest === metadataDigest)
    expect(source, name).toBeDefined()
    expect(await treeOf(join(far.content, name))).toEqual(await treeOf(source!.directory))
  }
  const changed = ran.documents.flatMap((document) => {
    const result = document['result'] as { changed: boolean; directory: string } | undefined
    return result?.changed ? [result.directory] : []
  })
  expect(changed.toSorted()).toEqual([...landed.keys()].map((name) => join(far.content, name)).sort())
}

/** Where all is done nothing is left open: no pending shipment, nothing staged that cannot land, and the mark is at the newest. */
async function expectSettled(far: Far, { exit }: Unpacked): Promise<void> {
  if (exit !== 0) return
  for (const chain of await readdir(far.content)) {
    const names = (await readdir(join(far.content, chain))).filter((name) => !name.startsWith('.'))
    const shipments = await Promise.all(names.map((name) => readShipment(join(far.content, chain, name))))
    const last = shipments.toSorted((a, b) => a.metadata.sequence_number - b.metadata.sequence_number).at(-1)
    if (last === undefined) continue
    const state = await stateOf(far, last.metadata.chain.id)
    expect(state?.mark).toEqual({
      sequence_number: last.metadata.sequence_number,
      metadata_digest: last.metadataDigest,
    })
    expect(state?.pending).toBeUndefined()
    // Of what may still come, parts are kept.
    const staged = await readdir(join(far.content, chain, '.carryall/staging'))
    expect(staged.filter((name) => Number.parseInt(name, 10) <= last.metadata.sequence_number)).toEqual([])
    expect(staged.filter((name) => !/^[1-9]/.test(name))).toEqual([])
  }
}

/**
 * What landed, and what was refused as a whole, is in the log, with the flags that weakened a check; also what a killed run
 * had landed, and an old set that was passed over.
 */
function expectAudited(
  entries: Look['audit'],
  { errors }: Unpacked,
  facts: {
    readonly landed: ReadonlyMap<string, Shipment>
    readonly flags: readonly string[]
    readonly standing: Standing
  },
): void {
  const exits: readonly number[] = [Exit.TRUST, Exit.SEQUENCE, Exit.INCOMPLETE]
  const refused = entries.filter(({ outcome }) => outcome === 'refused').map(({ code }) => code)
  const told = errors
    .filter(({ code, exit }) => exits.includes(exit) && code !== 'VOLUME_MISSING')
    .map(({ code }) => code)
  expect(refused.filter((code) => code !== 'SEQ_ROLLBACK' || told.includes(code))).toEqual(told)
  const done = entries.filter(({ outcome, action }) => outcome === 'done' && action === 'land')
  const landed = [...facts.landed.values()].map(({ metadataDigest }) => metadataDigest)
  expect(
    done
      .map(({ subject }) => subject!.digest!)
      .filter((digest) => digest !== facts.standing.unsettled || landed.includes(digest))
      .toSorted(),
  ).toEqual(landed.toSorted())
  const overrides = facts.flags
    .filter((flag) => /^--(?:allow|accept)-/.test(flag))
    .map((flag) => flag.slice(2))
  for (const entry of entries) expect(entry.overrides).toEqual(overrides)
}
