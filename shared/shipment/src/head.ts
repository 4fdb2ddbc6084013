import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { commitFile } from '@carryall/durable'
import { CarryallError, fromSystemError, isCarryallError } from '@carryall/errors'
import { readSmall } from './metadata-file.ts'
import type { Shipment } from './read-shipment.ts'

/** `.carryall/head.json`: the newest shipment, and which directory it was written in. */
export interface Head {
  readonly sequence_number: number
  readonly metadata_digest?: string
  readonly inode: string
  /** Birth time of the directory in nanoseconds: a copy has another, and an inode number alone is soon used again. */
  readonly born: string
}

const file = (content: string) => join(content, '.carryall', 'head.json')

/** The head as written last; undefined where none was. Throws SEQ_COPIED where it cannot be read as one. */
export async function readHead(content: string): Promise<Head | undefined> {
  try {
    return parseHead((await readSmall(file(content))).toString('utf8'))
  } catch (error) {
    if (isCarryallError(error, 'INPUT_NOT_FOUND')) return undefined
    if (isCarryallError(error)) throw error
    throw new CarryallError('SEQ_COPIED', `${file(content)} is damaged`, {
      cause: error,
      hint: 'Check the directory with seq-meta verify, then use --take-over',
    })
  }
}

function parseHead(text: string): Head {
  const { sequence_number, metadata_digest, inode, born } = JSON.parse(text) as Partial<
    Record<keyof Head, unknown>
  >
  const isHead =
    Number.isSafeInteger(sequence_number) && typeof inode === 'string' && typeof born === 'string'
  if (!isHead || !(metadata_digest === undefined || typeof metadata_digest === 'string'))
    throw new TypeError('Keys are missing, or have other types')
  return {
    sequence_number: sequence_number as number,
    inode,
    born,
    ...(metadata_digest === undefined ? {} : { metadata_digest }),
  }
}

/** Records the newest shipment and the directory's own identity, durably. */
export async function writeHead(content: string, newest: Shipment | undefined): Promise<void> {
  const head: Head = {
    sequence_number: newest?.metadata.sequence_number ?? 0,
    ...(newest === undefined ? {} : { metadata_digest: newest.metadataDigest }),
    ...(await identity(content)),
  }
  await commitFile(file(content), `${JSON.stringify(head)}\n`)
}

/**
 * Refuses to write in a directory that is a copy (SEQ_COPIED), that lost its newest shipment (SEQ_ROLLBACK), or whose
 * newest does not continue the head (SEQ_FORK). One shipment more than the head is a run that was cut after its rename;
 * where shipments land it may have any later number.
 */
export async function checkHead(
  content: string,
  head: Head | undefined,
  shipments: readonly Shipment[],
  mayJump = false,
): Promise<void> {
  const newest = shipments.at(-1)
  if (head === undefined) {
    if (newest === undefined) return
    throw copied(content, 'it has shipments and no .carryall/head.json')
  }
  const own = await identity(content)
  if (head.inode !== own.inode || head.born !== own.born)
    throw copied(content, 'it is not the directory that was written last')
  const number = newest?.metadata.sequence_number ?? 0
  if (number < head.sequence_number) {
    throw new CarryallError(
      'SEQ_ROLLBACK',
      `${content} ends at number ${number}, but number ${head.sequence_number} was written here`,
      {
        expected: head.sequence_number,
        actual: number,
        hint: 'Bring the missing shipment back; numbers that were given out are not used again',
      },
    )
  }
  const at = shipments.find((shipment) => shipment.metadata.sequence_number === head.sequence_number)
  if (
    (number > head.sequence_number + 1 && !mayJump) ||
    (head.metadata_digest !== undefined && at?.metadataDigest !== head.metadata_digest)
  ) {
    throw new CarryallError(
      'SEQ_FORK',
      `${content} does not continue what was written here last (number ${head.sequence_number})`,
      {
        hint: 'A shipment was exchanged or added by hand; set it aside, or use --take-over after checking it',
      },
    )
  }
}

async function identity(content: string): Promise<{ inode: string; born: string }> {
  try {
    const { ino, birthtimeNs } = await stat(content, { bigint: true })
    return { inode: String(ino), born: String(birthtimeNs) }
  } catch (error) {
    throw fromSystemError(error, `read ${content}`)
  }
}

function copied(content: string, why: string): CarryallError {
  return new CarryallError('SEQ_COPIED', `Refused to write in ${content}: ${why}`, {
    hint: 'If this copy is the one to go on with, and no other will be written to, use --take-over',
  })
}
