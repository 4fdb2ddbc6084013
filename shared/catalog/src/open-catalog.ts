import { CarryallError, registerSecret } from '@carryall/errors'
import { isDockerHub, reachRegistry, type Reached, tokenServer } from '@carryall/oci'
import { isHost, isRepository, type RegistryApi } from '@carryall/schemas'
import { gitlabClient, harborClient, hubClient, quayClient, tokenMissing } from './api-clients.ts'
import type { Catalog, CatalogPorts } from './catalog.ts'
import { detectApi, isHarbor } from './detect-api.ts'
import { gitlabCatalog } from './gitlab-catalog.ts'
import { harborCatalog } from './harbor-catalog.ts'
import { hubCatalog } from './hub-catalog.ts'
import { quayCatalog } from './quay-catalog.ts'
import { storeCatalog } from './store-catalog.ts'

/**
 * Opens what a registry, layout or archive holds, below `namespace`: '' is all, else whole components of paths, or exactly one
 * repository. `auto` asks the registry which API it has; where that of Quay or GitLab has no token, the distribution API is
 * taken. Throws API_TOKEN_MISSING where Quay was asked for by name without a token, API_UNSUPPORTED where there is no such
 * API, REFERENCE_INVALID, NET_*.
 */
export async function openCatalog(
  namespace: string,
  api: 'auto' | RegistryApi,
  ports: CatalogPorts,
  signal?: AbortSignal,
): Promise<Catalog> {
  const { registry, http, apiToken } = ports
  if (apiToken) registerSecret(apiToken)
  if (namespace !== '' && !isRepository(namespace)) throw notANamespace(namespace)
  if (!isHost(registry)) {
    if (api !== 'auto' && api !== 'layout' && api !== 'list') throw unsupported(registry, api)
    return storeCatalog('layout', namespace, ports)
  }
  const reach = () => reachRegistry({ host: registry }, http, signal)
  switch (api) {
    case 'auto':
      if (isDockerHub(registry)) return hubCatalog(await hubClient(ports, signal), namespace, ports)
      return detected(await reach(), namespace, ports, signal)
    case 'quay':
      if (!apiToken) throw tokenMissing('Quay', registry, 'list its repositories')
      return quayCatalog(quayClient((await reach()).base, ports, apiToken), namespace, ports)
    case 'harbor': {
      const client = harborClient((await reach()).base, ports)
      if (!(await isHarbor(client, signal))) throw unsupported(registry, api)
      return harborCatalog(client, namespace, ports)
    }
    case 'gitlab': {
      const reached = await reach()
      return gitlabCatalog(
        gitlabClient(gitlabOrigin(reached, ports) ?? reached.base, ports),
        namespace,
        ports,
      )
    }
    case 'hub':
      return hubCatalog(await hubClient(ports, signal), namespace, ports)
    case 'layout':
      throw unsupported(registry, api)
    case 'distribution':
    case 'list':
      return storeCatalog(api, namespace, ports)
  }
}

async function detected(
  reached: Reached,
  namespace: string,
  ports: CatalogPorts,
  signal: AbortSignal | undefined,
): Promise<Catalog> {
  const { apiToken } = ports
  const harbor = harborClient(reached.base, ports)
  const quay = apiToken ? quayClient(reached.base, ports, apiToken) : undefined
  const origin = apiToken ? announcedGitlab(reached, ports) : undefined
  const gitlab = origin && gitlabClient(origin, ports)
  const found = await detectApi({ harbor, quay, gitlab }, signal)
  if (found === 'harbor') return harborCatalog(harbor, namespace, ports)
  if (found === 'quay') return quayCatalog(quay!, namespace, ports)
  if (found === 'gitlab') return gitlabCatalog(gitlab!, namespace, ports)
  return storeCatalog('distribution', namespace, ports)
}

/** GitLab itself is where its registry sends us for tokens. */
function gitlabOrigin(reached: Reached, { allowedRealms = [] }: CatalogPorts): URL | undefined {
  const realm = tokenServer(reached, allowedRealms)
  return realm?.pathname.endsWith('/jwt/auth') ? new URL('/', realm) : undefined
}

function announcedGitlab(reached: Reached, ports: CatalogPorts): URL | undefined {
  try {
    return gitlabOrigin(reached, ports)
  } catch {
    // A realm that is refused is refused again by whoever needs a token from it.
    return undefined
  }
}

function unsupported(registry: string, api: string): CarryallError {
  return new CarryallError('API_UNSUPPORTED', `${registry} has no API "${api}"`, {
    subject: { kind: 'host', name: registry },
    hint: 'Give --api auto, or the one that it has',
  })
}

function notANamespace(namespace: string): CarryallError {
  return new CarryallError('REFERENCE_INVALID', `"${namespace}" is not a path of repositories`, {
    subject: { kind: 'repository', name: namespace },
    hint: 'Names are lower-case letters and digits, separated by ".", "_", "-" and "/"',
  })
}
