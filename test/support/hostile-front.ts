import { request as httpRequest, type IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { type Seen, startServer } from '@carryall/http/testing'
import { type Answer, type Scenario, type Sinks, TOKEN } from '@carryall/oci/testing'

/** A registry that lures. */
export interface HostileFront extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string
  /** How often it has lured. */
  readonly lured: number
  /** How often it was told a credential. */
  readonly trusted: number
}

export interface FrontOptions {
  readonly lure: Scenario['lure']
  readonly sinks: Sinks
  /** Lets nobody in without a credential, for a server behind it that asks for none; passes credentials on where absent. */
  readonly guards?: 'basic' | 'bearer'
}

/** Stands before the server at `target` (`http://…`), and does what `lure` says in place of it. */
export async function startHostileFront(
  target: string,
  { lure, sinks, guards }: FrontOptions,
): Promise<HostileFront> {
  const counts = { lured: 0, trusted: 0 }
  const server = await startServer(async (seen, response) => {
    const own = `http://${seen.headers.host}`
    if (seen.headers.authorization !== undefined) counts.trusted += 1
    const lured = lure(seen, sinks, own)
    if (lured !== undefined) counts.lured += 1
    const {
      status,
      headers = {},
      body,
    } = lured ?? (guards && guard(seen, own, guards)) ?? (await ask(target, seen, guards))
    response.writeHead(status, headers).end(seen.method === 'HEAD' ? undefined : body)
  })
  return {
    host: server.host,
    get lured() {
      return counts.lured
    },
    get trusted() {
      return counts.trusted
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

function guard(seen: Seen, own: string, how: 'basic' | 'bearer'): Answer | undefined {
  if (seen.url.startsWith('/token')) return { status: 200, body: JSON.stringify({ token: TOKEN }) }
  if (seen.headers.authorization !== undefined) return undefined
  const challenge = how === 'bearer' ? `Bearer realm="${own}/token"` : 'Basic realm="own"'
  return { status: 401, headers: { 'www-authenticate': challenge } }
}

async function ask(
  target: string,
  { method, url, headers, body }: Seen,
  guards: string | undefined,
): Promise<Answer> {
  const { authorization, ...others } = headers
  const passed = guards === undefined && authorization !== undefined ? { ...others, authorization } : others
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    // The server sees the host that the client asked, so that its locations lead back here.
    httpRequest(new URL(url, target), { method, headers: passed }, resolve).on('error', reject).end(body)
  })
  const kept = Object.entries(answer.headers).filter(([name]) => name !== 'connection')
  return {
    status: answer.statusCode!,
    headers: Object.fromEntries(kept) as Record<string, string>,
    body: await buffer(answer),
  }
}
