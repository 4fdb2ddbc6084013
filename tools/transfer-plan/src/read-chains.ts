import { dirname, resolve } from 'node:path'
import type { Context } from '@carryall/cli'
import { CarryallError } from '@carryall/errors'
import {
  checkLinks,
  findShipments,
  readKnown,
  readShipment,
  type ReceivedShipment,
  type Shipment,
} from '@carryall/shipment'
import { memberOf, type Chain } from './chain.ts'
import { together } from './together.ts'

/** A chain with what was named of it; its target is the newest of these. */
export interface NamedChain extends Chain {
  readonly named: readonly Shipment[]
}

/**
 * The chains of which operands or documents name shipments, each read whole from its content directory: every file once,
 * whoever speaks of it. Throws what reading throws, SEQ_* (81) for links that are broken, USAGE_CONFLICT for two chains that
 * could not be told apart on a volume.
 */
export async function readChains(
  context: Context,
  operands: readonly string[],
  content: string | undefined,
): Promise<readonly NamedChain[]> {
  const read = once()
  const named = await findShipments(
    operands.map((operand) => (operand === '-' ? operand : resolve(context.cwd, operand))),
    {
      documents: (given) => context.documents(given) as AsyncIterable<ReceivedShipment>,
      ...(content === undefined ? {} : { content: resolve(context.cwd, content) }),
      read,
    },
  )
  const directories = new Map<string, Shipment[]>()
  for (const shipment of named) {
    const directory = content === undefined ? dirname(shipment.directory) : resolve(context.cwd, content)
    directories.set(directory, [...(directories.get(directory) ?? []), shipment])
  }
  const chains: NamedChain[] = []
  for (const [directory, shipments] of directories) chains.push(await readChain(directory, shipments, read))
  refuseAlike(chains)
  return chains
}

/** Reads a shipment the first time, and remembers it; what was said of it then spares a parser, where it is true. */
function once(): (directory: string, likely?: unknown) => Promise<Shipment> {
  const known = new Map<string, Promise<Shipment>>()
  return (directory, likely) => {
    const path = resolve(directory)
    const reading = known.get(path) ?? readShipment(path, likely)
    known.set(path, reading)
    return reading
  }
}

async function readChain(
  directory: string,
  named: readonly Shipment[],
  read: (directory: string) => Promise<Shipment>,
): Promise<NamedChain> {
  const shipments = await readKnown(directory, read)
  const faults = checkLinks(shipments)
  if (faults.length > 0) throw together(faults)
  const members = shipments.map((shipment) => memberOf(shipment, directory))
  const digests = new Set(named.map((shipment) => shipment.metadataDigest))
  const target = members.findLastIndex((member) => digests.has(member.metadataDigest))
  const first = members[0]
  if (first === undefined || target < 0) {
    throw new CarryallError('INPUT_NOT_FOUND', `${named[0]!.directory} is not in ${directory}`, {
      subject: { kind: 'shipment', name: named[0]!.metadata.name },
      hint: 'Name as --content the directory that holds the whole chain',
    })
  }
  return { ...first.metadata.chain, directory, members, target, named }
}

function refuseAlike(chains: readonly Chain[]): void {
  chains.forEach((chain, at) => {
    const other = chains.slice(0, at).find(({ id, name }) => id === chain.id || name === chain.name)
    if (other === undefined) return
    throw new CarryallError(
      'USAGE_CONFLICT',
      `Two content directories have a chain ${chain.name}: ${other.directory} and ${chain.directory}`,
      {
        actual: `${other.id} and ${chain.id}`,
        hint:
          other.id === chain.id
            ? 'Name one of them; the other is a copy'
            : 'Carry them in two plans: on the far side both would have the same directory',
      },
    )
  })
}
