import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** One connection that came. */
export interface CutConnection {
  /** `PUT /path`, of its first request. */
  readonly request: string
  /** Bytes that were passed on to the server. */
  sent: number
  /** True where it was torn down. */
  cut: boolean
}

export interface CuttingProxy extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string
  readonly connections: readonly CutConnection[]
  /**
   * After how many bytes from the client a connection is torn down on both sides, heads included; never where it gives
   * undefined. With `reply` all bytes are passed on, and it is torn down when the server begins to answer.
   */
  cut: (connection: CutConnection) => number | 'reply' | undefined
}

/** Stands before a server on a port of loopback and cuts TCP connections. Knows of HTTP only the first line. */
export async function startCuttingProxy(target: number): Promise<CuttingProxy> {
  const connections: CutConnection[] = []
  const open = new Set<Socket>()
  const proxy: Pick<CuttingProxy, 'connections' | 'cut'> = { connections, cut: () => undefined }

  const serve = (client: Socket): void => {
    const server = connect(target, '127.0.0.1')
    let connection: CutConnection | undefined
    let limit: number | 'reply' | undefined
    for (const socket of [client, server]) {
      open.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => open.delete(socket))
    }
    // What it has answered is still on its way.
    server.on('close', () => client.end())
    // Where it was cut, the server may still read what was passed on: a reset would take that with it, unseen.
    client.on('close', () => (connection?.cut ? server.end() : server.destroy()))
    client.on('data', (data: Buffer) => {
      if (connection === undefined) {
        const [method = '', path = ''] = data.toString('latin1', 0, 200).split(' ')
        connection = { request: `${method} ${path.split('?')[0]}`, sent: 0, cut: false }
        connections.push(connection)
        limit = proxy.cut(connection)
      }
      const left = typeof limit === 'number' ? limit - connection.sent : Number.POSITIVE_INFINITY
      const part = data.subarray(0, Math.max(0, left))
      connection.sent += part.length
      connection.cut = part.length < data.length
      const goes = server.write(part)
      if (connection.cut) return void client.resetAndDestroy()
      if (goes) return
      client.pause()
      server.once('drain', () => client.resume())
    })
    server.on('data', (data: Buffer) => {
      if (limit !== 'reply' || connection === undefined) return void client.write(data)
      connection.cut = true
      client.resetAndDestroy()
    })
  }

  const listener = createServer(serve)
  await new Promise<void>((listening) => listener.listen(0, '127.0.0.1', listening))
  return Object.assign(proxy, {
    host: `127.0.0.1:${(listener.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => listener.close(resolve))
      for (const socket of open) socket.destroy()
      await closed
    },
  })
}
