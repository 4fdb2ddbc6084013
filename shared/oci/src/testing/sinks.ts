import { type Seen, startServer, type TestServer } from '@carryall/http/testing'
import type { Sinks } from './origin-lures.ts'

/** Servers that want to be told a password, and what they were told. */
export interface RunningSinks extends AsyncDisposable {
  readonly at: Sinks
  readonly told: Seen[]
}

/** Starts a sink for each way to be another origin on this machine. */
export async function startSinks(): Promise<RunningSinks> {
  const told: Seen[] = []
  const start = (address: string): Promise<TestServer> =>
    startServer(
      (seen, response) => {
        told.push(seen)
        response.writeHead(401, { 'www-authenticate': 'Basic realm="sink"' }).end()
      },
      { address },
    )
  const servers = await Promise.all([start('127.0.0.2'), start('127.0.0.1'), start('::1')])
  const [host, port, six] = servers as [TestServer, TestServer, TestServer]
  return {
    at: { host: host.url, port: port.url, name: `http://localhost:${port.port}`, six: six.url },
    told,
    [Symbol.asyncDispose]: async () => {
      for (const server of servers) await server[Symbol.asyncDispose]()
    },
  }
}
