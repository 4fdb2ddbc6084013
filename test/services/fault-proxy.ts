import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { random } from '../support/random.ts'

const UNREAD_MS = 50

/** What goes wrong with one answer. Positions count bytes of the body. */
export type Fault =
  /** The connection is torn down after `after` bytes. */
  | { readonly fault: 'reset'; readonly after: number }
  /** Nothing more comes after `after` bytes, and the connection stays. */
  | { readonly fault: 'stall'; readonly after: number }
  /** The body ends in good order after `after` bytes; its length was announced as it should be, or with `honest` as it is. */
  | { readonly fault: 'truncate'; readonly after: number; readonly honest?: true }
  /** Content-Length says something else than the body has. */
  | { readonly fault: 'length'; readonly length: number }
  | { readonly fault: 'status'; readonly status: number; readonly headers?: Record<string, string> }
  /** The answer is that of the registry, but for this digest in its header. */
  | { readonly fault: 'digest'; readonly digest: string }
  /** More bytes than there are, announced as they come. */
  | { readonly fault: 'extra'; readonly count: number }
  /** Other bytes of the same length. */
  | { readonly fault: 'bytes' }
  | { readonly fault: 'redirect'; readonly to: string }

/** One request as the proxy saw it. */
export interface Proxied {
  readonly method: string
  readonly path: string
  readonly range: string | undefined
  readonly authorization: string | undefined
  /** How often this method and path came before. */
  readonly before: number
  /** What went wrong with the answer. */
  fault?: Fault
  /** True once the whole answer was sent. */
  answered?: true
}

export interface FaultProxy extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string
  readonly requests: readonly Proxied[]
  /** Decides for each request what goes wrong; nothing where it gives undefined. */
  faults: (request: Proxied) => Fault | undefined | Promise<Fault | undefined>
}

/** Stands between a client and a registry at `target` (`http://…`) and spoils the answers that `faults` picks. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const seen: Proxied[] = []
  const counts = new Map<string, number>()
  const proxy: Pick<FaultProxy, 'requests' | 'faults'> = { requests: seen, faults: () => undefined }
  const server = createServer((incoming, outgoing) => {
    void handle(incoming, outgoing).catch(() => incoming.socket.destroy())
  })

  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const { method = '', url: path = '', headers } = incoming
    const key = `${method} ${path}`
    const before = counts.get(key) ?? 0
    counts.set(key, before + 1)
    const proxied: Proxied = {
      method,
      path,
      range: headers.range,
      authorization: headers.authorization,
      before,
    }
    seen.push(proxied)
    const fault = await proxy.faults(proxied)
    if (fault !== undefined) proxied.fault = fault
    if (fault?.fault === 'status')
      return void outgoing.writeHead(fault.status, fault.headers).end('{"errors":[]}')
    if (fault?.fault === 'redirect') return void outgoing.writeHead(307, { location: fault.to }).end()
    const answer = await ask(target, incoming)
    const body = await buffer(answer)
    await spoil(outgoing, answer, method === 'HEAD' ? Buffer.alloc(0) : body, fault)
    proxied.answered = true
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return Object.assign(proxy, {
    host,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  })
}

/** Faults of all kinds for a share of the requests that `seed` picks; each request of one kind at most `times` times. */
export function randomFaults(seed: number, share: number, times: number): FaultProxy['faults'] {
  const next = random(seed)
  return ({ before, method }) => {
    if (before >= times || method === 'HEAD' || next() >= share) return undefined
    const after = Math.floor(next() * 3000)
    const kinds: readonly Fault[] = [
      { fault: 'reset', after },
      { fault: 'truncate', after },
      { fault: 'status', status: 429, headers: { 'retry-after': '0' } },
      { fault: 'status', status: 503 },
      { fault: 'status', status: 500 },
    ]
    return kinds[Math.floor(next() * kinds.length)]
  }
}

function ask(target: string, incoming: IncomingMessage): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { method, url, headers } = incoming
    const outgoing = httpRequest(
      new URL(url ?? '/', target),
      { method, headers: { ...headers, host: new URL(target).host } },
      resolve,
    )
    outgoing.on('error', reject)
    incoming.pipe(outgoing)
  })
}

async function spoil(
  outgoing: ServerResponse,
  answer: IncomingMessage,
  body: Buffer,
  fault: Fault | undefined,
): Promise<void> {
  const sent = spoiledBody(body, fault)
  // Or node:http would not send what is wrong.
  outgoing.strictContentLength = false
  outgoing.writeHead(answer.statusCode ?? 502, { ...answer.headers, ...spoiledHeaders(body, fault) })
  outgoing.flushHeaders()
  if (sent.length > 0) await new Promise<void>((resolve) => outgoing.write(sent, () => resolve()))
  if (fault?.fault === 'stall') return
  // A reset takes with it what the other side's kernel holds unread.
  if (fault && 'after' in fault && sent.length > 0) await wait(UNREAD_MS)
  const isShort = fault?.fault === 'length' || (fault?.fault === 'truncate' && !fault.honest)
  if (fault?.fault === 'reset') outgoing.socket?.resetAndDestroy()
  else if (isShort) outgoing.socket?.end()
  else outgoing.end()
}

function spoiledBody(body: Buffer, fault: Fault | undefined): Buffer {
  if (fault === undefined) return body
  if ('after' in fault) return body.subarray(0, fault.after)
  if (fault.fault === 'extra') return Buffer.concat([body, Buffer.alloc(fault.count)])
  return fault.fault === 'bytes' ? Buffer.from(body.map((byte) => byte ^ 0x55)) : body
}

function spoiledHeaders(body: Buffer, fault: Fault | undefined): Record<string, string> {
  if (fault?.fault === 'digest') return { 'docker-content-digest': fault.digest }
  if (fault?.fault === 'length') return { 'content-length': String(fault.length) }
  if (fault?.fault === 'extra') return { 'content-length': String(body.length + fault.count) }
  const isHonest = fault?.fault === 'truncate' && fault.honest
  return isHonest ? { 'content-length': String(Math.min(fault.after, body.length)) } : {}
}
