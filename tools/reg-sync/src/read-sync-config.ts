import { dirname, resolve } from 'node:path'
import type { Context } from '@carryall/cli'
import { CarryallError } from '@carryall/errors'
import type { SyncConfig } from '@carryall/schemas'
import type { EndFlags } from './command.ts'
import { requireStdin } from './require-stdin.ts'

/** Reads a SyncConfig, and says what its file names are relative to. Throws SCHEMA_*, INPUT_*, USAGE_CONFLICT. */
export async function readSyncConfig(
  context: Pick<Context, 'documents' | 'cwd'>,
  path: string,
  flags: EndFlags,
): Promise<{ readonly config: SyncConfig; readonly directory: string }> {
  if (path === '-') requireStdin('the configuration', flags)
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
