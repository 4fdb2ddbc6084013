import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { CarryallError, registerSecret } from '@carryall/errors'
import type { Dispatcher } from 'undici'
import { isLinkLocal } from './address-rules.ts'
import { type HostTls, tlsConnectOptions } from './host-tls.ts'
import type { Route } from './raw/open-socket.ts'
import { type Environment, proxyFor } from './proxy.ts'

const CONNECT_MS = 30_000

export interface DispatcherOptions {
  /** To an origin, by `URL.host`, at most; and as many for uploads. */
  connections(host: string): number
  readonly idleTimeoutMs: number
  readonly env: Environment
  tls(host: string): HostTls | Promise<HostTls>
}

/** Connections by origin. */
export interface Dispatchers {
  /**
   * The pool for an origin. Uploads have a pool of their own: a body may wait for a download from the same origin,
   * which must not wait for the upload's connection in turn.
   */
  get(url: URL, upload: boolean): Promise<Dispatcher>
  /** The way for a connection of one's own; undefined where it leads through a proxy. */
  route(url: URL): Promise<Route | undefined>
  close(): Promise<void>
}

/** Makes a pool of HTTP/1.1 connections at the first request to each origin, direct or through the proxy of `env`. */
export function dispatchers(options: DispatcherOptions): Dispatchers {
  const pools = new Map<string, Promise<Dispatcher>>()
  const contexts = new Map<string, Promise<object>>()
  return {
    get: (url, upload) => {
      const key = `${upload ? 'up' : 'down'} ${url.origin}`
      const pool = pools.get(key) ?? open(url, options)
      pools.set(key, pool)
      return pool
    },
    route: async (url) => {
      if (proxyFor(url, options.env) !== undefined) return undefined
      const tls =
        url.protocol === 'https:' ? (contexts.get(url.origin) ?? tlsFor(url, options)) : Promise.resolve({})
      contexts.set(url.origin, tls)
      return { tls: await tls, lookup: lookup as LookupFunction, connectMs: connectMs(options) }
    },
    close: async () => {
      const all = await Promise.allSettled(pools.values())
      pools.clear()
      for (const pool of all) if (pool.status === 'fulfilled') await pool.value.destroy()
    },
  }
}

async function open(url: URL, options: DispatcherOptions): Promise<Dispatcher> {
  const { Pool, ProxyAgent } = await import('undici')
  const tls = url.protocol === 'https:' ? await tlsFor(url, options) : {}
  const common = {
    connections: options.connections(url.host),
    pipelining: 1,
    allowH2: false,
    headersTimeout: options.idleTimeoutMs,
    bodyTimeout: options.idleTimeoutMs,
    connectTimeout: connectMs(options),
  }
  const proxy = proxyFor(url, options.env)
  if (proxy === undefined)
    return new Pool(url.origin, { ...common, connect: { ...tls, lookup, timeout: common.connectTimeout } })
  const { password } = new URL(proxy)
  if (password) registerSecret(decodeURIComponent(password))
  return new ProxyAgent({ ...common, uri: proxy, requestTls: tls })
}

async function tlsFor(url: URL, options: DispatcherOptions): Promise<object> {
  return tlsConnectOptions(await options.tls(url.host), url.host)
}

function connectMs(options: DispatcherOptions): number {
  return Math.min(CONNECT_MS, options.idleTimeoutMs)
}

type Found = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void

// A name may be made to point at the metadata service after its literal form has been checked.
function lookup(hostname: string, options: LookupOptions, done: Found): void {
  systemLookup(hostname, options, (error, address, family) => {
    const found = (Array.isArray(address) ? address : [{ address, family }]) as LookupAddress[]
    const refused = error ? undefined : found.find((each) => isLinkLocal(each.address))
    if (!refused) return done(error, address as string | LookupAddress[], family)
    done(
      new CarryallError(
        'NET_ORIGIN_REFUSED',
        `Refused to connect to ${hostname}: ${refused.address} is a link-local address`,
        {
          subject: { kind: 'host', name: hostname },
        },
      ),
      [],
    )
  })
}
