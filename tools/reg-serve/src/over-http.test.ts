import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectStores, openLayout } from '@carryall/oci'
import { storeSuite } from '@carryall/oci/testing'
import { serve } from './serve.ts'

// Small pages: following the Link header is part of what is tested.
storeSuite('a registry client on reg-serve', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'reg-serve-'))
  const layout = await openLayout(directory, { write: true })
  const server = await serve(layout, { host: '127.0.0.1', port: 0, pageSize: 10 })
  const host = `127.0.0.1:${server.port}`
  const stores = await connectStores({
    env: {},
    userAgent: 'carryall-test',
    tlsVerify: true,
    plainHttp: [host],
    allowedRealms: [],
    retry: { times: 0 },
  })
  return {
    store: stores.registry(host),
    async close() {
      await stores.close()
      await server.close()
      await layout.close()
      await rm(directory, { recursive: true })
    },
  }
})
