import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { CarryallError, isCarryallError } from '@carryall/errors'
import type { BlobLine } from '@carryall/schemas'
import { BLOB_INDEX, parseBlobIndex, readSmall } from '@carryall/shipment'
import { Catalogue, type Content } from './catalogue.ts'
import type { Chain, Member } from './chain.ts'

const MAX_INDEX = 512 * 1024 * 1024

/**
 * What the shipments of a chain through its target hold and need, from their indexes, each proven by the sum that the
 * metadata has of it. Throws DIGEST_MISMATCH, FILE_MISSING and what reading an index throws (82).
 */
export async function readContents(
  chain: Chain,
): Promise<{ readonly catalogue: Catalogue; readonly contents: readonly Content[] }> {
  const catalogue = new Catalogue()
  const contents: Content[] = []
  // One after another: parsing is all the work, and no more than one index is in memory.
  for (const [place, member] of chain.members.entries()) {
    const index = place > chain.target ? [] : await indexOf(member)
    contents.push(catalogue.contentOf(member.metadataDigest, member.metadata, index))
  }
  return { catalogue, contents }
}

async function indexOf({ metadata, directory, here }: Member): Promise<readonly BlobLine[] | undefined> {
  const listed = metadata.files.find((file) => file.path === BLOB_INDEX)
  if (listed === undefined) return undefined
  const file = join(directory, BLOB_INDEX)
  try {
    const bytes = await readSmall(file, MAX_INDEX)
    const actual = createHash('sha256').update(bytes).digest('hex')
    if (actual === listed.sha256) return parseBlobIndex(bytes, file)
    throw new CarryallError(
      'DIGEST_MISMATCH',
      `${file} is not the index that ${metadata.name} was made with`,
      {
        subject: { kind: 'shipment', name: metadata.name },
        expected: listed.sha256,
        actual,
        hint: 'Put back the file as it was; what the shipment holds cannot be known without it',
      },
    )
  } catch (error) {
    if (!isCarryallError(error, 'INPUT_NOT_FOUND')) throw error
    // A headstone may have lost it with the content.
    if (!here) return undefined
    throw new CarryallError('FILE_MISSING', `${metadata.name} has lost its index ${BLOB_INDEX}`, {
      subject: { kind: 'shipment', name: metadata.name },
      hint: 'Put back the file; what the shipment holds cannot be known without it',
      cause: error,
    })
  }
}
