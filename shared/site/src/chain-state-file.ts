import { join } from 'node:path'
import { acquireLock, commitFile, ensureDirectory, removeOrphans } from '@carryall/durable'
import { CarryallError, isCarryallError } from '@carryall/errors'
import { chainStateKind, parseKind, readDocuments, toPrettyJson, type ChainState } from '@carryall/schemas'
import { readSmall } from '@carryall/shipment'

/** A change is read, made and written in moments. */
const WAIT_SECONDS = 30

const directory = (stateDir: string) => join(stateDir, 'chains')
const file = (stateDir: string, chainId: string) => join(directory(stateDir), `${chainId}.json`)

/**
 * What the site remembers of a chain; undefined where it remembers nothing. Throws SEQ_STATE_MISMATCH (81) where the file
 * is damaged or another chain's: a fresh start would forget the mark. PERMISSION_DENIED, IO_FAILED.
 */
export async function readChainState(stateDir: string, chainId: string): Promise<ChainState | undefined> {
  const path = file(stateDir, chainId)
  let bytes: Buffer
  try {
    bytes = await readSmall(path)
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw isCarryallError(error, 'INPUT_TOO_LARGE') ? damaged(path, error) : error
  }
  let state: ChainState
  try {
    state = parseKind(chainStateKind, readDocuments(bytes, path)[0], path)
  } catch (error) {
    // What a newer release wrote is no damage.
    throw isCarryallError(error, 'SCHEMA_NEWER') ? error : damaged(path, error)
  }
  if (state.chain.id !== chainId) throw damaged(path, new Error(`It is the state of chain ${state.chain.id}`))
  return state
}

/**
 * Changes what the site remembers of a chain, durably and one writer at a time: `change` gets what is there now, which
 * another run may have raised meanwhile. Nothing is written where it gives back what it got. Gives the new state. Throws
 * what `readChainState`, `change` and `commitFile` throw, LOCK_HELD.
 */
export async function updateChainState(
  stateDir: string,
  chainId: string,
  change: (state: ChainState | undefined) => ChainState,
  options: {
    readonly holder: string
    readonly signal?: AbortSignal
    /** A damaged file counts as absent: the operator accepted that. */
    readonly acceptStateReset?: boolean
  },
): Promise<ChainState> {
  await ensureDirectory(directory(stateDir))
  await using _lock = await acquireLock(join(directory(stateDir), '.lock'), {
    holder: options.holder,
    waitSeconds: WAIT_SECONDS,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  })
  await removeOrphans(directory(stateDir))
  const before = await readChainState(stateDir, chainId).catch((error: unknown) => {
    if (options.acceptStateReset && isCarryallError(error, 'SEQ_STATE_MISMATCH')) return undefined
    throw error
  })
  const after = change(before)
  if (after !== before) await commitFile(file(stateDir, chainId), `${toPrettyJson(after)}\n`)
  return after
}

/** Nothing of that name: a directory or a file in its way is another matter. */
function isAbsent(error: unknown): boolean {
  return isCarryallError(error) && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT'
}

function damaged(path: string, cause: unknown): CarryallError {
  return new CarryallError('SEQ_STATE_MISMATCH', `${path} is damaged`, {
    subject: { kind: 'file', name: path },
    hint: 'Put it back from a backup; to go on from what the content directory holds, use --accept-state-reset',
    cause,
  })
}
