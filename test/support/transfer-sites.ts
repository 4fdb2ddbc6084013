import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { toPrettyJson, type ChainState } from '@carryall/schemas'
import { withPending } from '@carryall/site'
import { chainDirectory, cloneFar, farAt, stateFile, stateOf, unpack, type Far } from './transfer-far.ts'
import { SITE, type World } from './transfer-world.ts'

/** A state in which a far side may be when something comes. */
export interface Standing {
  readonly name: string
  /** Number of the newest shipment that has landed; 0 for none. */
  readonly newest: number
  /** A run was killed here, and the next one has to settle what it left. */
  readonly killed: boolean
  /** Digest of what that run had landed, and could not tell. */
  readonly unsettled?: string
  /** As it is; to be copied, never written to. */
  readonly far: Far
}

export const STANDINGS = [
  'empty',
  'at 1',
  'at 5',
  'at 5, part of 6 unpacked',
  'at 5, killed before 6 was published',
  'at 6, killed after it was published',
] as const

/** Unpacks the real history of a world until a far side stands where each name says; signed, or without a trust file. */
export async function makeStandings(
  world: World,
  now: Date,
  { signed = true }: { readonly signed?: boolean } = {},
): Promise<readonly Standing[]> {
  const flags = signed ? ['--trust', await world.trust(['build'])] : ['--site', SITE]
  const take = async (far: Far, first: number, last: number, only?: number): Promise<Far> => {
    const { volumes } = await world.set(await world.range(first, last))
    const { exit, errors } = await unpack(far, volumes.slice(0, only), { flags, now })
    const expected = only === undefined ? 0 : 83
    if (exit !== expected) throw new Error(`Ended with ${exit}: ${JSON.stringify(errors)}`)
    return far
  }
  const copy = (far: Far): Promise<Far> => cloneFar(far, world.fresh('standing'))
  const six = await world.like(6)

  const empty = farAt(world.fresh('standing'))
  const one = await take(await copy(empty), 1, 1)
  const five = await take(await copy(one), 1, 5)
  const part = await take(await copy(five), 6, 6, 1)
  const before = await copy(part)
  const pending = withPending((await stateOf(five))!, six, { now, signed })
  await writeState(before, pending)
  const after = await take(await copy(five), 6, 6)
  await unmake(after, five)
  await writeState(after, pending)

  return [empty, one, five, part, before, after].map((far, index) => ({
    name: STANDINGS[index]!,
    newest: [0, 1, 5, 5, 5, 6][index]!,
    killed: index >= 4,
    ...(index === 5 ? { unsettled: six.metadataDigest } : {}),
    far,
  }))
}

async function writeState(far: Far, state: ChainState): Promise<void> {
  await writeFile(stateFile(far), `${toPrettyJson(state)}\n`)
}

/** Takes away what follows the rename when a shipment lands: its headstone, and the head that names it. */
async function unmake(far: Far, before: Far): Promise<void> {
  const [own, old] = [far, before].map((one) => join(chainDirectory(one), '.carryall')) as [string, string]
  const head = JSON.parse(await readFile(join(own, 'head.json'), 'utf8')) as object
  const { sequence_number, metadata_digest } = JSON.parse(
    await readFile(join(old, 'head.json'), 'utf8'),
  ) as Record<string, unknown>
  await writeFile(
    join(own, 'head.json'),
    `${JSON.stringify({ ...head, sequence_number, metadata_digest })}\n`,
  )
  await rm(join(own, 'headstones/seq6-sample'), { recursive: true })
}
