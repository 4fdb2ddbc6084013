import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { madeUp } from './fault-answers.ts'
import type { Fault } from './faults.ts'
import { phasesOf, type Proxied } from './proxied.ts'
import { sendSpoiled } from './spoiled-answer.ts'

const UNREAD_MS = 50

export interface FaultProxy extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string
  readonly requests: readonly Proxied[]
  /** Decides for each request what goes wrong; nothing where it gives undefined. See `faultRules`. */
  faults: (request: Proxied) => Fault | undefined | Promise<Fault | undefined>
  /** How often each kind of fault has happened. */
  counts(): Partial<Readonly<Record<Fault['fault'], number>>>
}

/** Stands between a client and a registry at `target` (`http://…`) and spoils the answers that `faults` picks. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const seen: Proxied[] = []
  const counts = new Map<string, number>()
  const puts = new Map<string, number>()
  const lost = new Set<string>()
  const agent = new Agent({ keepAlive: true })
  const proxy: Pick<FaultProxy, 'requests' | 'faults'> = { requests: seen, faults: () => undefined }
  const server = createServer((incoming, outgoing) => {
    void handle(incoming, outgoing).catch(() => incoming.socket.destroy())
  })

  const note = ({ method = '', url: path = '', headers }: IncomingMessage): Proxied => {
    const key = `${method} ${path}`
    const before = counts.get(key) ?? 0
    counts.set(key, before + 1)
    const put = puts.get(path)
    const sincePut = put === undefined ? undefined : performance.now() - put
    const phases = phasesOf(method, path, sincePut)
    const { range, authorization } = headers
    const proxied: Proxied = { method, path, phases, range, authorization, before, sincePut }
    seen.push(proxied)
    return proxied
  }

  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const proxied = note(incoming)
    const { method, path } = proxied
    const [place = ''] = path.split('?')
    const fault = lost.has(place) ? { fault: 'lost-upload' as const } : await proxy.faults(proxied)
    if (fault !== undefined && !(fault.fault === 'late' && (proxied.sincePut ?? fault.ms) >= fault.ms))
      proxied.fault = fault
    if (fault?.fault === 'lost-upload') lost.add(place)
    if (fault?.fault === 'delay') await wait(fault.ms)
    const made = proxied.fault && madeUp(proxied.fault, proxied)
    if (made) {
      incoming.resume()
      outgoing.writeHead(made.status, made.headers).end(method === 'HEAD' ? undefined : made.body)
      return
    }
    const answer = await ask(target, agent, incoming, fault)
    if (answer === undefined) return
    if (method === 'PUT' && answer.statusCode === 201) puts.set(path, performance.now())
    if (fault === undefined || fault.fault === 'delay' || fault.fault === 'late') {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      await pipeline(answer, outgoing)
    } else await sendSpoiled(outgoing, answer, method, fault)
    proxied.answered = true
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return Object.assign(proxy, {
    host,
    counts: () => {
      const kinds = seen.flatMap(({ fault }) => (fault ? [fault.fault] : []))
      return Object.fromEntries(
        [...new Set(kinds)].map((kind) => [kind, kinds.filter((each) => each === kind).length]),
      )
    },
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      agent.destroy()
      await closed
    },
  })
}

/** What the registry answers; undefined where the client is torn away from it before it can. */
function ask(
  target: string,
  agent: Agent,
  incoming: IncomingMessage,
  fault: Fault | undefined,
): Promise<IncomingMessage | undefined> {
  const { method, url, headers } = incoming
  const { authorization: _, ...anonymous } = headers
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage | undefined>()
  // The registry sees the host that the client asked, so that its locations lead back here.
  const outgoing = httpRequest(
    new URL(url ?? '/', target),
    { agent, method, headers: fault?.fault === 'expired' ? anonymous : headers },
    resolve,
  )
  outgoing.on('error', reject)
  incoming.once('close', () => {
    if (!incoming.complete) outgoing.destroy()
  })
  if (fault?.fault !== 'drop') {
    incoming.pipe(outgoing)
    return promise
  }
  const { after } = fault
  let passed = 0
  const tear = () =>
    // The registry is given the time to take what it was sent.
    setTimeout(() => {
      resolve(undefined)
      outgoing.destroy()
      incoming.socket.resetAndDestroy()
    }, UNREAD_MS)
  incoming.once('end', tear).on('data', (chunk: Buffer) => {
    outgoing.write(chunk.subarray(0, after - passed))
    passed += chunk.length
    if (passed < after) return
    incoming.pause()
    tear()
  })
  return promise
}
