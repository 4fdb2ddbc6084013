import { syncTree } from '@carryall/durable'
import { CarryallError, isCarryallError } from '@carryall/errors'
import { run } from '@carryall/exec'

const TIMEOUT_MS = 24 * 3600 * 1000

/**
 * Makes all of a staged tree durable in one go: what is synced one by one after that is clean. Throws IO_FAILED, IO_NO_SPACE (74) with
 * the file where that is known.
 */
export async function syncStaged(path: string, signal: AbortSignal): Promise<void> {
  try {
    await run('sync', ['-f', '--', path], { timeoutMs: TIMEOUT_MS, package: 'coreutils', signal })
  } catch (error) {
    if (!isCarryallError(error, 'EXEC_FAILED')) throw error
    // It does not say which file it was, nor why in a way that can be relied on.
    await syncTree(path)
    throw new CarryallError('IO_FAILED', `Cannot make ${path} durable`, {
      subject: { kind: 'file', name: path },
      hint: 'Use another medium: this one does not take what is written to it',
      cause: error,
    })
  }
}
