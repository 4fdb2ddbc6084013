import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { CarryallError, errorObject, fromSystemError, isCarryallError } from '@carryall/errors'
import { parseJsonTexts, parseKind, syncEventKind, type SyncEvent } from '@carryall/schemas'
import { linesOf, type Line } from '@carryall/site'

/** What a journal holds. */
export interface JournalRead {
  readonly events: readonly SyncEvent[]
  /** Digest of its last line; undefined where it has none. */
  readonly head: string | undefined
  /** Bytes up to the end of its last whole line: what a killed run left behind that is no line. */
  readonly size: number
}

/**
 * Every event of a journal, each proven to follow the one before it. A last line without its end is what a killed run leaves, and is
 * left out. Throws SYNC_JOURNAL_BROKEN with the line (82), INPUT_NOT_FOUND, PERMISSION_DENIED, IO_FAILED.
 */
export async function readJournal(file: string): Promise<readonly SyncEvent[]> {
  try {
    await using handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW)
    return (await readOpenJournal(handle, file)).events
  } catch (error) {
    throw fromSystemError(error, `read the journal ${file}`, { subject: { kind: 'file', name: file } })
  }
}

/** As `readJournal`, with what is needed to continue it. */
export async function readOpenJournal(handle: FileHandle, file: string): Promise<JournalRead> {
  const events: SyncEvent[] = []
  let head: string | undefined
  let size = 0
  for await (const line of linesOf(handle, {})) {
    if (!line.whole) break
    const event = parseLine(line, file, events.length + 1)
    if (event.previous !== head)
      throw broken(file, events.length + 1, 'it does not follow the line before it')
    if (events.length === 0 && event.event !== 'begin') throw broken(file, 1, 'no run begins there')
    events.push(event)
    head = line.digest
    size += line.size
  }
  return { events, head, size }
}

function parseLine({ text }: Line, file: string, number: number): SyncEvent {
  const where = `${file}:${number}`
  if (text === undefined) throw broken(file, number, 'it is too long')
  try {
    return parseKind(syncEventKind, parseJsonTexts(text, where)[0], where)
  } catch (error) {
    // A newer release may have written it: that is no damage.
    if (isCarryallError(error, 'SCHEMA_NEWER')) throw error
    throw broken(file, number, errorObject(error).message, error)
  }
}

function broken(file: string, line: number, why: string, cause?: unknown): CarryallError {
  return new CarryallError(
    'SYNC_JOURNAL_BROKEN',
    `Line ${line} of the journal ${file} is not as it was written: ${why}`,
    {
      subject: { kind: 'file', name: file },
      location: { file, line },
      hint: 'Set it aside and begin a new one: what is at the destination is found there, and not sent again',
      ...(cause === undefined ? {} : { cause }),
    },
  )
}
