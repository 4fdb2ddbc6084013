import { createHttp, type Environment, type RetryPolicy } from '@carryall/http'
import { openLayout, type LayoutOptions } from './layout/open-layout.ts'
import { hostCertificates } from './registry/certificates.ts'
import { loadCredentials } from './registry/credentials.ts'
import { openRegistry } from './registry/open-registry.ts'
import type { Destination } from './store.ts'

export interface ConnectOptions {
  readonly env: Environment
  readonly userAgent: string
  /** The only file that credentials are taken from; the usual ones if absent. */
  readonly authfile?: string | undefined
  /** A PEM file of authorities to trust besides the system's and those of certs.d. */
  readonly caFile?: string | undefined
  readonly tlsVerify: boolean
  /** Hosts that may be spoken to over plain http, credentials included. */
  readonly plainHttp: readonly string[]
  /** Token servers that are trusted besides those of the registry's own site. */
  readonly allowedRealms: readonly string[]
  readonly retry: Partial<RetryPolicy>
}

/** Registries and layouts by address, each opened once. */
export interface Stores {
  registry(host: string): Destination
  layout(directory: string, options?: LayoutOptions): Promise<Destination>
  readonly retry: RetryPolicy
  close(): Promise<void>
}

/** Opens stores with one client, one set of credentials and one retry policy. Throws what reading credentials throws. */
export async function connectStores(options: ConnectOptions): Promise<Stores> {
  const { env, userAgent, authfile, caFile, tlsVerify, plainHttp, allowedRealms, retry } = options
  const credentials = await loadCredentials({ env, ...(authfile === undefined ? {} : { authfile }) })
  const tls = hostCertificates({ env, verify: tlsVerify, ...(caFile === undefined ? {} : { caFile }) })
  const http = createHttp({ env, userAgent, tls, plainHttpHosts: plainHttp, retry })
  const registries = new Map<string, Destination>()
  const layouts = new Map<string, Promise<Destination>>()
  return {
    retry: http.retry,
    registry(host) {
      const known = registries.get(host) ?? openRegistry({ host }, { http, credentials, allowedRealms })
      registries.set(host, known)
      return known
    },
    layout(directory, how) {
      const known = layouts.get(directory) ?? openLayout(directory, how)
      layouts.set(directory, known)
      return known
    },
    async close() {
      for (const layout of layouts.values()) await (await layout).close()
      await http.close()
    },
  }
}
