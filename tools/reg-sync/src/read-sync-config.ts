import { dirname, resolve } from 'node:path'
import type { Context } from '@carryall/cli'
import { CarryallError } from '@carryall/errors'
import type { SyncConfig } from '@carryall/schemas'

/** Reads a SyncConfig, and says what its file names are relative to. Throws SCHEMA_*, INPUT_*. */
export async function readSyncConfig(
  context: Pick<Context, 'documents' | 'cwd'>,
  path: string,
): Promise<{ readonly config: SyncConfig; readonly directory: string }> {
  const received = await Array.fromAsync(context.documents([path], ['SyncConfig']))
  if (received.length !== 1)
    throw new CarryallError(
      'SCHEMA_INVALID',
      `${path} holds ${received.length} documents; one SyncConfig is wanted`,
    )
  return {
    config: received[0]!.document as SyncConfig,
    directory: path === '-' ? context.cwd : dirname(resolve(context.cwd, path)),
  }
}
