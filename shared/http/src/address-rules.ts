import { BlockList, isIP } from 'node:net'

const linkLocal = new BlockList()
linkLocal.addSubnet('169.254.0.0', 16)
linkLocal.addSubnet('fe80::', 10, 'ipv6')
// The metadata service of a large cloud, outside fe80::/10.
linkLocal.addAddress('fd00:ec2::254', 'ipv6')

const local = new BlockList()
local.addSubnet('127.0.0.0', 8)
local.addAddress('::1', 'ipv6')

/** True where `hostname` (as in `URL.hostname`) is this machine: `localhost`, 127.0.0.0/8, ::1. A name is not resolved. */
export function isLoopback(hostname: string): boolean {
  return /^(?:.+\.)?localhost\.?$/i.test(hostname) || listed(local, hostname)
}

/** True for the unspecified addresses 0.0.0.0 and ::, which connect to this machine, too. */
export function isUnspecified(hostname: string): boolean {
  return /^(?:0\.0\.0\.0|\[?::\]?|\[?::ffff:(?:0:0|0\.0\.0\.0)\]?)$/i.test(hostname)
}

/** True for link-local and cloud metadata addresses: nothing is ever asked there. */
export function isLinkLocal(hostname: string): boolean {
  return listed(linkLocal, hostname)
}

function listed(list: BlockList, hostname: string): boolean {
  const address = hostname.replace(/^\[|\]$/g, '').replace(/%.*$/, '')
  const version = isIP(address)
  return version !== 0 && list.check(address, version === 6 ? 'ipv6' : 'ipv4')
}
