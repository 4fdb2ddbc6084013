import type { Exchange } from './exchange.ts'
import { page } from './page.ts'
import { Refusal } from './refusal.ts'
import { replyJson } from './reply.ts'

/** Tags of a repository, sorted (distribution-spec: listing tags). */
export async function listTags(
  { request, response, store, path, query, pageSize }: Exchange,
  repository: string,
): Promise<void> {
  const tags = await sorted(store.tags(repository))
  if (tags.length === 0 && !(await sorted(store.repositories())).includes(repository)) {
    throw new Refusal(404, 'NAME_UNKNOWN', `There is no repository ${repository}`)
  }
  const { names, link } = page(tags, path, query, pageSize)
  replyJson(request, response, { name: repository, tags: names }, { link })
}

/** Names of all repositories, sorted (distribution's own `_catalog`). */
export async function listRepositories({
  request,
  response,
  store,
  path,
  query,
  pageSize,
}: Exchange): Promise<void> {
  const { names, link } = page(await sorted(store.repositories()), path, query, pageSize)
  replyJson(request, response, { repositories: names }, { link })
}

async function sorted(names: AsyncIterable<string>): Promise<string[]> {
  const found: string[] = []
  for await (const name of names) found.push(name)
  return found.sort()
}
