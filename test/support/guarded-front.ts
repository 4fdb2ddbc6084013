import { startServer, type Seen, type TestServer } from '@carryall/http/testing'

/** A registry that wants a password, and an origin beside it that everything is led to where that can be. */
export interface GuardedFront extends AsyncDisposable {
  readonly host: string
  /** `Authorization` of all requests, in their order. */
  authorizations(): readonly (string | undefined)[]
  /** Everything that the other origin was sent. */
  readonly abroad: readonly Seen[]
}

/**
 * Stands in front of a registry without a password: asks for `Basic`, or for a `Bearer` where the API of Quay is asked, sends
 * readers of blobs to another origin, and answers the API of Quay with one repository.
 */
export async function startGuardedFront(
  registry: string,
  known: { readonly username: string; readonly password: string; readonly apiToken: string },
): Promise<GuardedFront> {
  const basic = `Basic ${Buffer.from(`${known.username}:${known.password}`).toString('base64')}`
  const pass = async (to: string, { method, url, headers, body }: Seen) => {
    const kept = ['accept', 'content-type', 'content-range', 'range'].flatMap((name) =>
      typeof headers[name] === 'string' ? [[name, headers[name]] as const] : [],
    )
    const sent = method === 'GET' || method === 'HEAD' ? {} : { body: new Uint8Array(body) }
    return fetch(to + url, { method, headers: Object.fromEntries(kept), redirect: 'manual', ...sent })
  }
  const send = async (answer: Response, response: Parameters<Parameters<typeof startServer>[0]>[1]) => {
    const headers = Object.fromEntries(answer.headers)
    delete headers['connection']
    delete headers['transfer-encoding']
    response.writeHead(answer.status, headers).end(Buffer.from(await answer.arrayBuffer()))
  }
  const abroad: TestServer = await startServer(async (seen, response) =>
    send(await pass(registry, seen), response),
  )
  const front: TestServer = await startServer(async (seen, response) => {
    const { method, url, headers } = seen
    if (url.startsWith('/api/v1/')) {
      const allowed = headers.authorization === `Bearer ${known.apiToken}`
      if (!allowed) return void response.writeHead(401).end('{}')
      if (url.startsWith('/api/v1/repository?')) {
        const repositories = [{ namespace: 'team', name: 'app', kind: 'image', state: 'NORMAL' }]
        return void response
          .setHeader('content-type', 'application/json')
          .end(JSON.stringify({ repositories }))
      }
      return void response.writeHead(302, { location: `${abroad.url}${url}` }).end()
    }
    if (headers.authorization !== basic)
      return void response.writeHead(401, { 'www-authenticate': 'Basic realm="registry"' }).end()
    if (method === 'GET' && /\/blobs\/sha256:/.test(url))
      return void response.writeHead(307, { location: `${abroad.url}${url}` }).end()
    await send(await pass(registry, seen), response)
  })
  return {
    host: front.host,
    authorizations: () => front.requests.map(({ headers }) => headers.authorization),
    abroad: abroad.requests,
    [Symbol.asyncDispose]: async () => {
      await front[Symbol.asyncDispose]()
      await abroad[Symbol.asyncDispose]()
    },
  }
}
