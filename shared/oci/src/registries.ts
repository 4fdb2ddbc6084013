import { readSecretFile } from '@carryall/durable'
import {
  createHttp,
  type Environment,
  type HttpClient,
  type HttpOptions,
  type RetryPolicy,
} from '@carryall/http'
import type { Credential } from './registry/auth-file.ts'
import type { BreakerOptions } from './registry/breaker.ts'
import { hostCertificates } from './registry/certificates.ts'
import { loadCredentials } from './registry/credentials.ts'
import { type HostSettings, type RegistriesSection, settingsByHost } from './registry/host-settings.ts'
import { openRegistry } from './registry/open-registry.ts'
import type { Destination } from './store.ts'

export interface RegistriesOptions extends Pick<HttpOptions, 'idleTimeoutMs' | 'limits' | 'onLimit'> {
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
  /** Gives up a registry that can take or give nothing more (see `breaker`); none is if absent. */
  readonly breaker?: BreakerOptions
  /** Ends credential helpers. */
  readonly signal?: AbortSignal
  /** Who we are at single registries, by `host[:port]`; it beats `registries`, and both beat what is said for all. */
  readonly hosts?: Readonly<Record<string, HostSettings>>
  readonly registries?: RegistriesSection
  /** Read as a registries.conf says: this file, or the usual ones. Only for registries that are not written to. */
  readonly mirrors?: { readonly file?: string }
  /** Told which mirror serves what, and which could not. */
  readonly debug?: (message: string) => void
  readonly warn?: (message: string) => void
}

/** The registries of one side. */
export interface Registries {
  /** Opened once. */
  registry(host: string): Destination
  readonly retry: RetryPolicy
  /** For what registries have beside the distribution API. Its requests carry no credentials of their own. */
  readonly http: HttpClient
  /** Who we are at a registry, and below a path of it. Throws what `Credentials.find` throws. */
  credential(host: string, repository?: string): Promise<Credential | undefined>
  /** The token for the API of Quay or GitLab. Throws what reading its file throws. */
  apiToken(host: string): Promise<string | undefined>
  close(): Promise<void>
}

/**
 * Opens registries with one set of credentials and one retry policy. Throws what reading credentials and a registries.conf
 * throws: INPUT_NOT_FOUND, AUTH_FILE_INVALID, FILE_MODE_UNSAFE, CONFIG_INVALID, PERMISSION_DENIED.
 */
export async function openRegistries(options: RegistriesOptions): Promise<Registries> {
  const settings = settingsByHost(options.hosts, options.registries)
  const credentials = await loadCredentials({ ...options, settings })
  const tls = hostCertificates({ ...options, verify: options.tlsVerify, settings })
  const client = (retry: Partial<RetryPolicy>) =>
    createHttp({ ...options, retry, tls, plainHttpHosts: options.plainHttp })
  const http = client(options.retry)
  // A mirror is not waited for: there is another place to ask.
  const impatient = client({ ...options.retry, times: 0 })
  const { allowedRealms, breaker } = options
  const how = { credentials, allowedRealms, ...(breaker === undefined ? {} : { breaker }) }
  const open = once((host) => openRegistry({ host }, { http, ...how }))
  const openMirror = once((host) => openRegistry({ host }, { http: impatient, credentials, allowedRealms }))
  return {
    registry: await asTheyAreRead(options, open, openMirror),
    retry: http.retry,
    http,
    credential: (host, repository) => credentials.find(host, repository),
    apiToken: async (host) => {
      const { apiToken, apiTokenFile } = settings(host)
      return apiToken ?? (apiTokenFile === undefined ? undefined : readSecretFile(apiTokenFile))
    },
    async close() {
      await http.close()
      await impatient.close()
    },
  }
}

type Open = (host: string) => Destination

/** Registries as a registries.conf says that they are read, where there is one that says something. */
async function asTheyAreRead(options: RegistriesOptions, open: Open, openMirror: Open): Promise<Open> {
  if (options.mirrors === undefined) return open
  const { readRegistriesConf } = await import('./mirrors/read-registries-conf.ts')
  const entries = await readRegistriesConf({ env: options.env, ...options.mirrors })
  if (entries.length === 0) return open
  const { mirroredRegistries } = await import('./mirrors/mirrored-registries.ts')
  return once(
    mirroredRegistries(entries, {
      open: (host, mirror) => (mirror ? openMirror(host) : open(host)),
      debug: options.debug ?? (() => {}),
      warn: options.warn ?? (() => {}),
    }),
  )
}

function once(open: Open): Open {
  const opened = new Map<string, Destination>()
  return (host) => {
    const known = opened.get(host) ?? open(host)
    opened.set(host, known)
    return known
  }
}
