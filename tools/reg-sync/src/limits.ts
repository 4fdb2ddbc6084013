import { timetable, type HostLimits, type RetryPolicy } from '@carryall/http'
import { settingsKey, type RegistriesSection } from '@carryall/oci'
import type { RegistrySettings, SyncConfig } from '@carryall/schemas'
import { parseBytes } from '@carryall/schemas/bytes'
import type { EndFlags } from './command.ts'

/** What a configuration says of all registries. */
export interface SyncSettings {
  readonly registries?: RegistriesSection
  readonly retry: Partial<Pick<RetryPolicy, 'times' | 'delayMs'>>
  readonly apiTimeoutMs?: number | undefined
}

/** The settings of a configuration, whose files are relative to `directory`. */
export function settingsOf(
  config: SyncConfig | undefined,
  directory: string,
  flags: Pick<EndFlags, 'api-timeout'>,
): SyncSettings {
  const {
    retry_times: times,
    retry_delay_seconds: delay,
    api_timeout_seconds: configured,
  } = config?.defaults ?? {}
  const timeout = flags['api-timeout'] ?? configured
  return {
    ...(config?.registries === undefined ? {} : { registries: { settings: config.registries, directory } }),
    retry: {
      ...(times === undefined ? {} : { times }),
      ...(delay === undefined ? {} : { delayMs: delay * 1000 }),
    },
    apiTimeoutMs: timeout === undefined ? undefined : timeout * 1000,
  }
}

/** What each registry is spared: what a flag says, else its settings. Without either what it says of its own limits counts. */
export function limitsFor(
  flags: Pick<EndFlags, 'bandwidth' | 'concurrency' | 'requests-per-second'>,
  { registries }: SyncSettings,
): (host: string) => HostLimits {
  const settings = new Map(
    Object.entries(registries?.settings ?? {}).map(([host, { limits }]) => [settingsKey(host), limits]),
  )
  return (host) => {
    const own = settings.get(settingsKey(host))
    const concurrency = flags.concurrency ?? own?.concurrency
    const requestsPerSecond = flags['requests-per-second'] ?? own?.requests_per_second
    const bandwidth = flags.bandwidth === undefined ? bandwidthOf(own) : () => flags.bandwidth
    return {
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(requestsPerSecond === undefined ? {} : { requestsPerSecond }),
      ...(bandwidth === undefined ? {} : { bandwidth }),
    }
  }
}

function bandwidthOf(limits: RegistrySettings['limits']): HostLimits['bandwidth'] {
  if (limits === undefined) return undefined
  const { bandwidth_table: rows = [], bandwidth } = limits
  const fallback = bandwidth === undefined ? undefined : parseBytes(bandwidth)
  if (rows.length === 0) return fallback === undefined ? undefined : () => fallback
  return timetable(
    rows.map((row) => ({ ...row, bandwidth: parseBytes(row.bandwidth)! })),
    fallback,
  )
}
