import { randomBytes } from 'node:crypto'
import { makeShipment } from '@carryall/shipment/testing'
import type { Shipment } from '@carryall/shipment'

/** Text of so many bytes that no file system can save on. */
export function longText(bytes: number): string {
  return randomBytes(Math.ceil(bytes * 0.75))
    .toString('base64')
    .slice(0, bytes)
}

const CHAINS = ['stick', 'disc', 'image'] as const

/** Makes the first shipment of a chain, of a kind that nobody here knows. */
export async function makeSource(
  content: string,
  name: (typeof CHAINS)[number],
  files: Readonly<Record<string, string>>,
  extra: object = {},
): Promise<Shipment> {
  const id = `00000000-0000-4000-8000-00000000000${CHAINS.indexOf(name) + 1}`
  return makeShipment(content, { number: 1, chain: { id, name }, kind: 'Unheard', files, extra })
}
