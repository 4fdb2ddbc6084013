import { isRepository, isTag } from '@carryall/schemas'
import type { HttpResponse } from '@carryall/http'
import type { Connection, RegistryRequest } from './connection.ts'
import { accessTo, repositoryPath } from './names.ts'
import { names, pages } from './pages.ts'
import { refusal } from './refusal.ts'

// What distribution serves at most; registries that refuse it are asked for pages of their own size.
const PAGE = 1000

/** Tags in the registry's order; none where the repository does not exist. Throws REG_PROTOCOL, NET_*, AUTH_*. */
export function tags(registry: Connection, repository: string, signal?: AbortSignal): AsyncIterable<string> {
  const path = `${repositoryPath(registry.host, repository)}/tags/list`
  const subject = { kind: 'repository', name: `${registry.host}/${repository}` } as const
  return listing(
    registry,
    path,
    accessTo(registry.host, repository, 'pull'),
    names('tags', isTag),
    signal,
    async (answer) => {
      if (answer.status !== 404) throw await refusal(answer, `list the tags of ${repository}`, subject)
      await answer.dump()
    },
  )
}

/** Names of all repositories that the registry tells us. Throws REG_REFUSED where it has no catalog. */
export function repositories(registry: Connection, signal?: AbortSignal): AsyncIterable<string> {
  const access = { scopes: ['registry:catalog:*'] }
  const subject = { kind: 'host', name: registry.host } as const
  return listing(
    registry,
    '/v2/_catalog',
    access,
    names('repositories', isRepository),
    signal,
    async (answer) => {
      throw await refusal(answer, 'list its repositories', subject)
    },
  )
}

async function* listing(
  registry: Connection,
  path: string,
  access: RegistryRequest['access'],
  read: ReturnType<typeof names>,
  signal: AbortSignal | undefined,
  otherwise: (answer: HttpResponse) => Promise<void>,
): AsyncGenerator<string> {
  const request = { method: 'GET', path, access, ...(signal ? { signal } : {}) } as const
  let tooLarge = false
  yield* pages(registry, { ...request, path: `${path}?n=${PAGE}` }, read, async (answer) => {
    if (answer.status !== 400) return otherwise(answer)
    tooLarge = true
    await answer.dump()
  })
  if (tooLarge) yield* pages(registry, request, read, otherwise)
}
