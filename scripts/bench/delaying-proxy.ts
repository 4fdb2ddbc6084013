import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A way to a server that takes longer: every chunk of an answer comes `milliseconds` later, however many are on their way. */
export async function delayingProxy(
  host: string,
  milliseconds: number,
): Promise<AsyncDisposable & { readonly host: string }> {
  const [address, port] = host.split(':')
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(Number(port), address)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => sockets.delete(socket))
    }
    near.pipe(far)
    far.on('data', (chunk) => void setTimeout(() => near.write(chunk), milliseconds))
    far.on('close', () => void setTimeout(() => near.destroy(), milliseconds))
    near.on('close', () => far.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
