import { startFaultProxy } from '../../support/fault-proxy.ts'
import type { Proxied } from '../../support/proxied.ts'
import type { SyncSite } from './site.ts'

/** The proxies before both registries, which count as one. */
export interface TwoSides extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly source: string
  readonly destination: string
  /** Requests that arrived at either side since `forget`. */
  asked(): readonly Proxied[]
  forget(): void
  /** Called when the `at`-th request from now has arrived, before it is passed on. */
  when(at: number, then: () => void): void
}

export async function startTwoSides(site: SyncSite): Promise<TwoSides> {
  const source = await startFaultProxy(site.source.url)
  const destination = await startFaultProxy(site.destination.url)
  const asked: Proxied[] = []
  let left = Infinity
  let act = (): void => {}
  for (const proxy of [source, destination])
    proxy.faults = (request) => {
      asked.push(request)
      left -= 1
      if (left === 0) act()
      return undefined
    }
  return {
    source: source.host,
    destination: destination.host,
    asked: () => asked,
    forget: () => void asked.splice(0),
    when: (at, then) => {
      left = at
      act = then
    },
    [Symbol.asyncDispose]: async () => {
      await source[Symbol.asyncDispose]()
      await destination[Symbol.asyncDispose]()
    },
  }
}
