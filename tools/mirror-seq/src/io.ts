import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { registryAccess, type Context } from '@carryall/cli'
import { fromSystemError } from '@carryall/errors'
import { connectStores, layoutRepository, type Destination } from '@carryall/oci'
import type { Signer } from '@carryall/trust'
import type { MirrorPorts } from './mirror.ts'
import type { Origin } from './resolve.ts'
import type { MirrorFlags } from './command.ts'
import type { WantedImage } from './wanted-images.ts'

/** The configuration's bytes, which a sequence keeps as they are. */
export async function readConfig(context: Context, path: string): Promise<Buffer> {
  if (path === '-') return buffer(context.stdin)
  try {
    return await readFile(path)
  } catch (error) {
    throw fromSystemError(error, `read the configuration ${path}`, {
      subject: { kind: 'file', name: path },
      hint: 'Name an ImageSetConfiguration with -c',
    })
  }
}

/** The real ports of a run: registries, of which the configuration names `hosts`, layouts, the key that signs, clock, progress. */
export async function openPorts(
  context: Context,
  flags: MirrorFlags,
  hosts: readonly string[],
): Promise<MirrorPorts & { close(): Promise<void> }> {
  // A key that is not there is told before anything is fetched.
  const signer = await signerOf(context, flags)
  const stores = await connectStores(await registryAccess(context, flags, 'src', hosts))
  const sourceOf = async (address: string): Promise<Destination> =>
    address.startsWith('oci:')
      ? stores.layout(address.slice('oci:'.length))
      : stores.registry(address.slice('docker://'.length))
  return {
    tool: context.tool,
    originOf: async (image) => originOf(image, sourceOf),
    sourceOf,
    retry: stores.retry,
    signer,
    now: context.now,
    log: context.log,
    progress: context.progress,
    signal: context.signal,
    close: () => stores.close(),
  }
}

async function signerOf(context: Context, flags: MirrorFlags): Promise<Signer | undefined> {
  const [key, home, passphraseFile] = [flags['sign-key'], flags['gpg-home'], flags['passphrase-file']]
  if (key === undefined) return undefined
  const { openSigner } = await import('@carryall/trust')
  return openSigner({
    key,
    env: context.env,
    signal: context.signal,
    ...(home === undefined ? {} : { home: resolve(context.cwd, home) }),
    ...(passphraseFile === undefined ? {} : { passphraseFile: resolve(context.cwd, passphraseFile) }),
  })
}

async function originOf(
  { reference }: WantedImage,
  sourceOf: (address: string) => Promise<Destination>,
): Promise<Origin> {
  if (reference.transport === 'docker') {
    const address = `docker://${reference.host}`
    return {
      source: await sourceOf(address),
      address,
      repository: reference.repository,
      reference: reference.digest ?? reference.tag!,
    }
  }
  const address = `oci:${reference.repository}`
  const source = await sourceOf(address)
  return {
    source,
    address,
    repository: layoutRepository(reference.repository),
    reference: reference.tag ?? 'latest',
  }
}
