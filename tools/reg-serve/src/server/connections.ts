import type { Server, Socket } from 'node:net'
import { isLoopback } from '../address.ts'

/** How many connections there may be at a time. */
export interface ConnectionBounds {
  readonly all: number
  /** From one address; loopback is exempt, for all that a proxy on this machine passes on comes from there. */
  readonly perAddress: number
}

/** What a server of this kind gets along with. */
export const CONNECTION_BOUNDS: ConnectionBounds = { all: 1024, perAddress: 256 }

/** Closes connections beyond the bounds at once, so that one host that opens many cannot keep others out. */
export function boundConnections(server: Server, bounds: ConnectionBounds): void {
  const byAddress = new Map<string, number>()
  server.maxConnections = bounds.all
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress
    if (address === undefined || isLoopback(address)) return
    const present = byAddress.get(address) ?? 0
    if (present >= bounds.perAddress) return void socket.destroy()
    byAddress.set(address, present + 1)
    socket.once('close', () => {
      const left = byAddress.get(address)! - 1
      if (left > 0) byAddress.set(address, left)
      else byAddress.delete(address)
    })
  })
}
