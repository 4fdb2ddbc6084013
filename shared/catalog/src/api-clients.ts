import { CarryallError } from '@carryall/errors'
import { basic, isDockerHub, reachRegistry } from '@carryall/oci'
import { type ApiClient, apiClient, type ApiOptions } from './api-client.ts'
import type { CatalogPorts } from './catalog.ts'
import { hubLogin } from './hub-login.ts'

const HUB = 'hub.docker.com'

/** Quay takes an OAuth token, and no account. */
export function quayClient(base: URL, { http }: CatalogPorts, token: string): ApiClient {
  return apiClient({
    name: 'Quay',
    base,
    http,
    headers: () => ({ authorization: `Bearer ${token}` }),
    refusesToken: (body) => /"error_type"\s*:\s*"invalid_token"/.test(body),
  })
}

/** Harbor takes the accounts of the registry. */
export function harborClient(base: URL, { http, credential, registry }: CatalogPorts): ApiClient {
  const headers: ApiOptions['headers'] = async () => {
    const known = await credential?.(registry)
    return known !== undefined && 'password' in known ? basic(known.username, known.password) : {}
  }
  return apiClient({ name: 'Harbor', base, http, headers })
}

/** GitLab takes a token, and shows little without one. */
export function gitlabClient(base: URL, { http, apiToken, registry }: CatalogPorts): ApiClient {
  const anonymous = (action: string) => tokenMissing('GitLab', registry, action)
  const access = apiToken
    ? { headers: () => ({ 'private-token': apiToken }), refusesToken: () => true }
    : { anonymous }
  return apiClient({ name: 'GitLab', base, http, ...access })
}

/** Docker Hub gives a token for an account. Its API has a name of its own; that of any other registry is at the registry. */
export async function hubClient(
  { http, registry, credential }: CatalogPorts,
  signal: AbortSignal | undefined,
): Promise<ApiClient> {
  const base = isDockerHub(registry)
    ? new URL(`https://${HUB}/`)
    : (await reachRegistry({ host: registry }, http, signal)).base
  const known = await credential?.(registry)
  return apiClient({ name: 'Docker Hub', base, http, ...(known && hubLogin(http, base, known)) })
}

/** The error for an API that wants a token where there is none. */
export function tokenMissing(name: string, registry: string, action: string): CarryallError {
  return new CarryallError('API_TOKEN_MISSING', `The ${name} API of ${registry} wants a token to ${action}`, {
    subject: { kind: 'host', name: registry },
    hint: 'Give the token by a file of mode 0600 (-h names the flag), or list by the API "distribution"',
  })
}
