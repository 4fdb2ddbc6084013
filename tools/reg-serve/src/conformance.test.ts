import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLayout } from '@carryall/oci'
import { startDockerRegistry } from '@carryall/oci/testing'
import { conformanceSuite } from './conformance-suite.ts'
import { serve } from './serve.ts'

conformanceSuite('reg-serve', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'reg-serve-'))
  const layout = await openLayout(join(directory, 'layout'), { write: true })
  const server = await serve(layout, { host: '127.0.0.1', port: 0 })
  return {
    target: { url: server.url },
    async close() {
      await server.close()
      await layout.close()
      await rm(directory, { recursive: true })
    },
  }
})

conformanceSuite('docker-registry 2.8', async () => {
  const registry = await startDockerRegistry()
  return { target: { url: registry.url }, close: () => registry.stop() }
})
