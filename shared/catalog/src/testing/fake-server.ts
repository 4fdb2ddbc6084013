import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { startServer } from '@carryall/http/testing'
import { startDockerRegistry, type DockerRegistry, type ServedRequest } from '@carryall/oci/testing'
import { registryFiles, type RegistryFiles } from './registry-files.ts'
import { Refused, refuse } from './reply.ts'

export interface LoggedRequest extends ServedRequest {
  readonly headers: IncomingHttpHeaders
}

/** A test server with the ways of one product. `await using` stops it with its scope. */
export interface FakeServer extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string
  readonly url: string
  /** All requests in the order in which they were answered, those to the API and those to the registry. */
  readonly requests: readonly LoggedRequest[]
  /** The docker-registry that holds the content. What is pushed to it directly is there, too, without being asked for. */
  readonly store: DockerRegistry
  /** The content as it lies on disk: tags can be made, moved and dated here without a push. */
  readonly files: RegistryFiles
  /** Is called before each page but the first of a listing by the API is made up: what it pushes shifts the pages. */
  beforePage: (listing: string, page: number) => void | Promise<void>
  /** Makes all tokens invalid that were given until now. */
  expireTokens(): void
}

export interface FakeServerOptions {
  /** PEM texts: serves https. */
  readonly tls?: { readonly cert: string; readonly key: string }
  /** Listings by the API never end: behind the last page comes the first again. */
  readonly endless?: boolean
  /** Links to next pages name this origin, such as `http://127.0.0.2:1`, instead of the server's own. */
  readonly linkOrigin?: string
}

/** One request that is to be answered. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly method: string
  /** Without query, as it came. */
  readonly path: string
  readonly query: URLSearchParams
  /** Of this server, as the client names it. */
  readonly origin: string
}

/** What a product is made of. */
export interface FakeBase {
  readonly store: DockerRegistry
  readonly files: RegistryFiles
  /** Calls `beforePage` where it is due. */
  turnTo(listing: string, page: number): Promise<void>
  readonly options: FakeServerOptions
}

export interface Product<Extra extends object> {
  answer(exchange: Exchange): Promise<void>
  expireTokens(): void
  readonly extra: Extra
}

/** Starts a docker-registry and what `product` makes of it on a free port of 127.0.0.1. A thrown `Refused` is the answer. */
export async function startFake<Extra extends object>(
  options: FakeServerOptions,
  product: (base: FakeBase) => Product<Extra>,
): Promise<FakeServer & Extra> {
  const store = await startDockerRegistry()
  const files = registryFiles(store.storage)
  const hooks: Pick<FakeServer, 'beforePage'> = { beforePage: () => {} }
  const requests: LoggedRequest[] = []
  const { answer, expireTokens, extra } = product({
    store,
    files,
    options,
    turnTo: async (listing, page) => {
      if (page > 1) await hooks.beforePage(listing, page)
    },
  })
  const scheme = options.tls ? 'https' : 'http'
  const server = await startServer(
    async ({ method, url, headers }, response, request) => {
      response.once('close', () => requests.push({ method, path: url, status: response.statusCode, headers }))
      const origin = `${scheme}://${headers.host}`
      const { pathname: path, searchParams: query } = new URL(url, origin)
      try {
        await answer({ request, response, method, path, query, origin })
      } catch (error) {
        if (!(error instanceof Refused) || response.headersSent) throw error
        refuse(request, response, error)
      }
    },
    { unread: true, ...(options.tls ? { tls: options.tls } : {}) },
  )
  return Object.assign(hooks, extra, {
    host: server.host,
    url: server.url,
    requests,
    store,
    files,
    expireTokens,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]()
      await store.stop()
    },
  })
}
