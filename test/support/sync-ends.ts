import { writeFile } from 'node:fs/promises'
import type { DockerRegistry } from '@carryall/oci/testing'
import { startDockerRegistry } from '@carryall/oci/testing'
import { startFaultProxy, type FaultProxy } from './fault-proxy.ts'
import { makeScratch, type Scratch } from './scratch.ts'

/** A registry and the proxy before it. */
export interface Faulty {
  readonly registry: DockerRegistry
  readonly proxy: FaultProxy
}

/** Two docker-registries in memory, each behind a proxy, and a directory. */
export interface SyncEnds extends AsyncDisposable {
  readonly source: Faulty
  readonly destination: Faulty
  /** What a user writes to sync through the proxies. */
  readonly operands: readonly [source: string, destination: string]
  readonly scratch: Scratch
  /** Nothing goes wrong any more. */
  heal(): void
}

/** Starts them empty, or the source with the storage that is given. */
export async function startSyncEnds(storage?: string): Promise<SyncEnds> {
  const memory = await makeScratch('/dev/shm')
  const start = async (directory: string): Promise<Faulty> => {
    const registry = await startDockerRegistry({ storage: directory })
    return { registry, proxy: await startFaultProxy(registry.url) }
  }
  const [source, destination, scratch] = [
    await start(storage ?? memory.at('source')),
    await start(memory.at('destination')),
    await makeScratch(),
  ]
  const heal = (): void => {
    for (const { proxy } of [source, destination]) proxy.faults = () => undefined
  }
  return {
    source,
    destination,
    operands: [`docker://${source.proxy.host}`, `docker://${destination.proxy.host}`],
    scratch,
    heal,
    [Symbol.asyncDispose]: async () => {
      for (const { proxy, registry } of [source, destination]) {
        await proxy[Symbol.asyncDispose]()
        await registry.stop()
      }
      await memory[Symbol.asyncDispose]()
      await scratch[Symbol.asyncDispose]()
    },
  }
}

/** Writes an auth file with these accounts by host; gives its path. */
export async function writeAuth(
  file: string,
  accounts: Readonly<Record<string, { readonly username: string; readonly password: string }>>,
): Promise<string> {
  const auths = Object.fromEntries(
    Object.entries(accounts).map(([host, { username, password }]) => [
      host,
      { auth: Buffer.from(`${username}:${password}`).toString('base64') },
    ]),
  )
  await writeFile(file, JSON.stringify({ auths }), { mode: 0o600 })
  return file
}
