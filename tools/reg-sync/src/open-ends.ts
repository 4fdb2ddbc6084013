import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { registryAccess, type Context } from '@carryall/cli'
import type { CatalogPorts } from '@carryall/catalog'
import { isCarryallError } from '@carryall/errors'
import type { LimitEvent } from '@carryall/http'
import {
  cachedManifests,
  connectStores,
  openLayout,
  type Destination,
  type Source,
  type Stores,
} from '@carryall/oci'
import type { EndFlags } from './command.ts'
import { emptySource } from './empty-source.ts'
import type { End } from './ends.ts'
import { limitsFor, type SyncSettings } from './limits.ts'
import type { Ends, Provable } from './ports.ts'

/** Manifests that are kept from planning to copying, in bytes. */
const KEPT = 32 * 1024 * 1024

type Place = Pick<End, 'kind' | 'registry' | 'place'>

/**
 * Opens the ends of a run when they are first asked for. `hosts` are the registries of each side, which flags such as
 * `--src-username` are about. Throws what reading credentials throws.
 */
export async function openEnds(
  context: Context,
  flags: EndFlags,
  hosts: { readonly src: readonly string[]; readonly dest: readonly string[] },
  settings: SyncSettings,
): Promise<Ends> {
  const common = {
    ...(settings.registries === undefined ? {} : { registries: settings.registries }),
    limits: limitsFor(flags, settings),
    onLimit: (event: LimitEvent) => context.log.debug(`${event.host}: ${JSON.stringify(event)}`),
    breaker: {},
    warn: (message: string) => context.log.warn(message),
    ...(settings.apiTimeoutMs === undefined ? {} : { idleTimeoutMs: settings.apiTimeoutMs }),
  }
  const connect = async (side: 'src' | 'dest'): Promise<Stores> => {
    const access = await registryAccess(context, flags, side, hosts[side])
    return connectStores({ ...access, ...common, retry: { ...settings.retry, ...access.retry } })
  }
  // One after the other: each may ask for a password.
  const src = await connect('src')
  const dest = await connect('dest')
  const layoutOptions = {
    waitSeconds: context.waitSeconds,
    holder: `${context.tool.name} ${context.tool.version}`,
    signal: context.signal,
  }
  const opened = new Map<string, Promise<Destination>>()
  const once = (key: string, open: () => Promise<Destination>): Promise<Destination> => {
    const known = opened.get(key) ?? open()
    opened.set(key, known)
    return known
  }
  const sources = new Map<string, Promise<Source>>()
  const archives = new Map<
    string,
    Awaited<ReturnType<typeof dest.archive>> & { publish?: () => Promise<boolean> }
  >()

  const source = ({ kind, registry, place }: Place): Promise<Source> => {
    const open = async (): Promise<Source> => {
      if (kind === 'registry') return src.registry(place)
      return kind === 'layout' ? src.layout(place, { write: false }) : src.archive(place)
    }
    const known = sources.get(registry) ?? open().then((found) => cachedManifests(found, KEPT))
    sources.set(registry, known)
    return known
  }

  const look = async ({ kind, registry, place }: Place): Promise<Provable> => {
    if (kind === 'registry') return dest.registry(place)
    const file = kind === 'layout' ? join(place, 'oci-layout') : place
    if ((await lstat(file).catch(() => undefined)) === undefined) return emptySource()
    return kind === 'archive'
      ? withBlobs(await dest.archive(place))
      : once(`look ${registry}`, () => openLayout(place, { ...layoutOptions, write: false }))
  }

  const destination = async ({ kind, registry, place }: Place): Promise<Destination> => {
    if (kind === 'registry') return dest.registry(place)
    if (kind === 'layout')
      return once(`write ${registry}`, () => openLayout(place, { ...layoutOptions, write: true }))
    const store = await dest.archive(place, { ...layoutOptions, write: true })
    archives.set(place, store)
    return store
  }

  return {
    source,
    look,
    destination,
    retry: src.retry,
    async catalog(side, end, api) {
      const { openCatalog } = await import('@carryall/catalog')
      const stores = side === 'src' ? src : dest
      const ports: CatalogPorts = {
        store: await (side === 'src' ? source(end) : look(end)),
        http: stores.http,
        registry: end.registry,
        credential: stores.credential,
        apiToken: end.kind === 'registry' ? await stores.apiToken(end.place) : undefined,
        allowedRealms: flags['allow-realm'],
      }
      return openCatalog(end.path, end.kind === 'registry' ? api : 'layout', ports, context.signal)
    },
    hasAccount: async (side, host) => (await (side === 'src' ? src : dest).credential(host)) !== undefined,
    async publish() {
      for (const store of archives.values()) await store.publish?.()
    },
    async [Symbol.asyncDispose]() {
      for (const store of opened.values()) await (await store.catch(() => undefined))?.close()
      await src.close()
      await dest.close()
    },
  }
}

/** An archive is only read: a blob is there if its first bytes are. */
function withBlobs(source: Source): Provable {
  return {
    ...source,
    async hasBlob(repository, digest, signal) {
      const blob = { mediaType: 'application/octet-stream', digest, size: 0 }
      try {
        for await (const _ of source.blob(repository, blob, 0, signal)) break
        return true
      } catch (error) {
        if (isCarryallError(error, 'REG_BLOB_UNKNOWN')) return false
        throw error
      }
    },
  }
}
