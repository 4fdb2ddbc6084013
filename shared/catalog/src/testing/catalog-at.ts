import { createHttp, type HttpClient } from '@carryall/http'
import { openRegistry, type Source } from '@carryall/oci'
import type { RegistryApi } from '@carryall/schemas'
import { onTestFinished } from 'vitest'
import type { Catalog, CatalogPorts } from '../catalog.ts'
import { openCatalog } from '../open-catalog.ts'

export interface CatalogAt {
  readonly catalog: Catalog
  readonly store: Source
  readonly http: HttpClient
}

export interface CatalogAtOptions extends Pick<CatalogPorts, 'apiToken' | 'allowedRealms'> {
  readonly login?: { readonly username: string; readonly password: string }
  readonly retries?: number
}

/** The catalog of a test server, opened as tools open it; what it needs ends with the test. */
export async function catalogAt(
  host: string,
  namespace: string,
  api: 'auto' | RegistryApi,
  { login, retries = 0, ...options }: CatalogAtOptions = {},
): Promise<CatalogAt> {
  const http = createHttp({ retry: { times: retries, sleep: async () => {} } })
  onTestFinished(() => http.close())
  const store = openRegistry(
    { host },
    { http, credentials: { find: async () => login, describe: () => 'test' } },
  )
  const ports = { store, http, registry: host, credential: () => login, ...options }
  return { catalog: await openCatalog(namespace, api, ports), store, http }
}
