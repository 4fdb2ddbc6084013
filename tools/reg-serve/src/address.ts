import { lookup } from 'node:dns/promises'
import { BlockList, isIPv6 } from 'node:net'
import { badValue } from '@carryall/cli'
import { CarryallError } from '@carryall/errors'

export interface Address {
  readonly host: string
  readonly port: number
}

/** An address to listen on. */
export interface ListenAddress {
  /** An IP address: what a name stands for is asked once, so that what is judged is what is listened on. */
  readonly host: string
  readonly port: number
  /** Only this machine can connect. */
  readonly loopback: boolean
}

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

/** Reads `HOST:PORT`, `[IPV6]:PORT` or `:PORT`, which is 127.0.0.1. Throws USAGE_BAD_VALUE. */
export function parseAddress(text: string): Address {
  const [, bracketed, plain, digits] =
    /^(?:\[([0-9a-f:.]+(?:%[\w.-]+)?)\]|([a-z0-9.-]*)):(\d{1,5})$/i.exec(text) ?? []
  const port = Number(digits)
  if (digits === undefined || port > 65535) throw badValue(text, 'HOST:PORT, such as 127.0.0.1:5000')
  if (bracketed !== undefined && !isIPv6(bracketed))
    throw badValue(text, 'an IPv6 address between the brackets')
  return { host: bracketed ?? (plain === '' ? '127.0.0.1' : plain!), port }
}

/** Finds the IP address behind a host name. Throws NET_UNAVAILABLE. */
export async function resolveAddress({ host, port }: Address): Promise<ListenAddress> {
  try {
    const { address } = await lookup(host)
    return { host: address, port, loopback: isLoopback(address) }
  } catch (cause) {
    throw new CarryallError('NET_UNAVAILABLE', `Cannot listen on ${host}: this name has no address`, {
      hint: 'Give the IP address of an interface of this machine, or 0.0.0.0 for all of them',
      subject: { kind: 'host', name: host },
      cause,
    })
  }
}

/** True for an IP address that only this machine can reach. */
export function isLoopback(address: string): boolean {
  const plain = address.split('%', 1)[0]!
  return LOOPBACK.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4')
}
