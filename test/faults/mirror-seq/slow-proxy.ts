import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

const PART = 16 * 1024

/** Stands before a registry, lets bodies trickle, and notes what is asked for. */
export interface SlowProxy extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string
  /** Milliseconds between parts of 16 KiB. */
  pace: number
  /** Digests whose bytes were asked for with GET, in order, since `forget`. */
  asked(): readonly string[]
  forget(): void
}

/** `target` is `http://…`; the pace is 0 until it is set. */
export async function startSlowProxy(target: string): Promise<SlowProxy> {
  const asked: string[] = []
  const server = createServer((incoming, outgoing) => {
    const { method, url = '/', headers } = incoming
    const digest = /\/(?:blobs|manifests)\/(sha256:[0-9a-f]{64})$/.exec(url)?.[1]
    if (method === 'GET' && digest !== undefined) asked.push(digest)
    const onward = request(new URL(url, target), {
      method,
      headers: { ...headers, host: new URL(target).host },
    })
    // Who is killed leaves both sides open.
    outgoing.on('close', () => onward.destroy()).on('error', () => onward.destroy())
    onward.on('error', () => outgoing.destroy())
    onward.on('response', (answer) => void trickle(answer, outgoing).catch(() => outgoing.destroy()))
    onward.end()
  })
  const trickle = async (answer: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    outgoing.writeHead(answer.statusCode!, answer.headers)
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length; at += PART) {
        outgoing.write(chunk.subarray(at, at + PART))
        await wait(proxy.pace, undefined, { ref: false })
      }
    }
    outgoing.end()
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const proxy: SlowProxy = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    pace: 0,
    asked: () => [...asked],
    forget: () => void asked.splice(0),
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
  return proxy
}
