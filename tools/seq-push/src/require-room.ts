import { statfs } from 'node:fs/promises'
import { CarryallError } from '@carryall/errors'
import type { Destination } from '@carryall/oci'
import { humanSize } from '@carryall/schemas'
import type { PlannedImage } from './plan-push.ts'

/** Refuses a push into a layout on whose disk the blobs that it does not have yet will not fit. Throws IO_NO_SPACE (74). */
export async function requireRoom(
  directory: string,
  images: readonly PlannedImage[],
  destination: Destination,
  signal: AbortSignal,
): Promise<void> {
  const blobs = new Map(
    images.flatMap((image) =>
      image.blobs.map((blob) => [blob.digest, { size: blob.size, repository: image.repository }] as const),
    ),
  )
  let needed = 0
  for (const [digest, { size, repository }] of blobs)
    if (!(await destination.hasBlob(repository, digest, signal))) needed += size
  const { bavail, bsize } = await statfs(directory)
  const available = bavail * bsize
  if (needed <= available) return
  throw new CarryallError(
    'IO_NO_SPACE',
    `Nothing was pushed: ${directory} needs ${humanSize(needed)} more; ${humanSize(available)} are free`,
    {
      subject: { kind: 'file', name: directory },
      expected: needed,
      actual: available,
      hint: 'Free space there, or name a layout on a larger file system',
    },
  )
}
