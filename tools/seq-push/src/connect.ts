import { registryAccess, type Context } from '@carryall/cli'
import { connectStores, type Stores } from '@carryall/oci'
import type { PushFlags } from './command.ts'
import type { Target } from './target.ts'

/** The stores that the flags describe. Throws what `registryAccess` and `connectStores` throw. */
export async function connect(context: Context, flags: PushFlags, target: Target): Promise<Stores> {
  const hosts = target.kind === 'registry' ? [target.place] : []
  return connectStores(await registryAccess(context, flags, 'dest', hosts))
}
