import { resolve } from 'node:path'
import { CarryallError } from '@carryall/errors'
import type { Chain } from './chain.ts'

/**
 * The chains with their targets: what `--target` names as `CHAIN=NUMBER`, by its name, or by its directory, else what they
 * have. `cwd` is for relative paths. Pure. Throws INPUT_NOT_FOUND, USAGE_CONFLICT.
 */
export function chooseTargets<C extends Chain>(
  chains: readonly C[],
  targets: readonly string[],
  cwd: string,
): readonly C[] {
  const chosen = new Map<C, number>()
  for (const text of targets) {
    const found = chains.flatMap((chain) => placesOf(chain, text, cwd).map((place) => ({ chain, place })))
    if (found.length === 0) throw notFound(text, chains)
    const [{ chain, place }] = found as [{ chain: C; place: number }]
    if (found.length > 1 || (chosen.has(chain) && chosen.get(chain) !== place)) {
      throw new CarryallError('USAGE_CONFLICT', `"${text}" leaves open what is to be complete`, {
        actual: found
          .map((one) => `${one.chain.name}=${one.chain.members[one.place]!.metadata.sequence_number}`)
          .join(', '),
        hint: 'Name one target for each chain, as CHAIN=NUMBER',
      })
    }
    chosen.set(chain, place)
  }
  return chains.map((chain) => ({ ...chain, target: chosen.get(chain) ?? chain.target }))
}

function placesOf(chain: Chain, text: string, cwd: string): readonly number[] {
  const [, name, number] = /^(.+)=(\d{1,15})$/.exec(text) ?? []
  return chain.members.flatMap(({ metadata, directory }, place) => {
    const byNumber = (name === chain.name || name === chain.id) && metadata.sequence_number === Number(number)
    return byNumber || metadata.name === text || directory === resolve(cwd, text) ? [place] : []
  })
}

function notFound(text: string, chains: readonly Chain[]): CarryallError {
  return new CarryallError('INPUT_NOT_FOUND', `Nothing here is "${text}"`, {
    subject: { kind: 'shipment', name: text },
    hint: `Name a shipment of ${chains.map((chain) => chain.directory).join(', ')}, or CHAIN=NUMBER with ${chains
      .map(
        (chain) =>
          `${chain.name}=${chain.members[0]!.metadata.sequence_number} to ${chain.members.at(-1)!.metadata.sequence_number}`,
      )
      .join(', ')}`,
  })
}
