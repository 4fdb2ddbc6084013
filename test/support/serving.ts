import { openLayout, type Destination } from '@carryall/oci'
import { serve, type Served } from '@carryall/reg-serve'

/** A running reg-serve over an OCI layout, in this process. */
export interface ServedLayout extends AsyncDisposable {
  /** `127.0.0.1:PORT` */
  readonly host: string
  /** The layout itself. */
  readonly store: Destination
  /** What it has served, in order. */
  readonly requests: readonly Served[]
}

/** Serves a layout, which is made where there is none, as a registry with the referrers API. */
export async function startServing(directory: string): Promise<ServedLayout> {
  const store = await openLayout(directory, { write: true })
  const requests: Served[] = []
  const server = await serve(store, {
    host: '127.0.0.1',
    port: 0,
    onServed: (served) => requests.push(served),
  })
  return {
    host: `127.0.0.1:${server.port}`,
    store,
    requests,
    [Symbol.asyncDispose]: async () => {
      await server.close()
      await store.close()
    },
  }
}
