import { BlockList, isIP } from 'node:net'
import { isLoopback } from './address-rules.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/**
 * The proxy for a URL by HTTPS_PROXY, HTTP_PROXY and NO_PROXY (either case; lower case first, as curl has it), or
 * undefined. NO_PROXY holds `*`, addresses, CIDR ranges and domains (with their subdomains), each with an optional port.
 * Loopback is never asked through a proxy.
 */
export function proxyFor(url: URL, env: Environment): string | undefined {
  const read = (name: string) => env[name] ?? env[name.toUpperCase()]
  const proxy = read(url.protocol === 'https:' ? 'https_proxy' : 'http_proxy')
  if (!proxy || isLoopback(url.hostname)) return undefined
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  const direct = (read('no_proxy') ?? '').split(/[\s,]+/).some((rule) => covers(rule, url.hostname, port))
  if (direct) return undefined
  return proxy.includes('://') ? proxy : `http://${proxy}`
}

function covers(rule: string, hostname: string, port: string): boolean {
  if (rule === '') return false
  if (rule === '*') return true
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase()
  if (rule.includes('/')) return inRange(rule, host)
  const [, name = rule, only] = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(rule) ?? []
  if (only !== undefined && only !== port) return false
  const bare = name
    .replace(/^\[|\]$/g, '')
    .replace(/^\*?\./, '')
    .toLowerCase()
  return host === bare || (isIP(host) === 0 && host.endsWith(`.${bare}`))
}

function inRange(rule: string, host: string): boolean {
  const [net = '', bits = ''] = rule.split('/')
  const version = isIP(host)
  if (
    version === 0 ||
    isIP(net) !== version ||
    !/^\d{1,3}$/.test(bits) ||
    Number(bits) > (version === 6 ? 128 : 32)
  )
    return false
  const list = new BlockList()
  const family = version === 6 ? 'ipv6' : 'ipv4'
  list.addSubnet(net, Number(bits), family)
  return list.check(host, family)
}
