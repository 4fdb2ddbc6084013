import { CarryallError } from '@carryall/errors'
import { checkNames, fileSystem, takenBytes } from '@carryall/media'
import type { Medium } from '@carryall/schemas'
import type { PlannedFile } from './volume-job.ts'

/**
 * Bytes of the image of a volume with these files, at most. Throws MEDIA_TOO_SMALL (73) where its medium has less,
 * MEDIA_NAME_REFUSED (73).
 */
export function imageSize(files: readonly PlannedFile[], medium: Medium): number {
  const system = fileSystem('iso9660')
  checkNames(
    files.map((file) => file.path),
    system,
  )
  const image = { name: medium.name, filesystem: system.name, cluster_bytes: system.clusterBytes(0) }
  const size = system.overheadBytes(0) + takenBytes(image, files)
  // Planned as an image, its own tables are not in what a volume may take.
  const counted = medium.filesystem === 'iso9660' ? system.overheadBytes(0) : 0
  if (size <= (medium.capacity_bytes ?? Infinity) + counted) return size
  throw new CarryallError('MEDIA_TOO_SMALL', `An image takes ${size} bytes, more than ${medium.name} has`, {
    subject: { kind: 'volume', name: medium.name },
    expected: medium.capacity_bytes ?? 0,
    actual: size,
    hint: 'Plan with --filesystem iso9660, or with a larger --reserve where files are encrypted',
  })
}
