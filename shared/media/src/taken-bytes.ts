import type { Medium } from '@carryall/schemas'
import { VolumeRoom } from './volume-room.ts'

/** What a tree of these files takes on a medium, its directories and itself counted. */
export function takenBytes(
  medium: Medium,
  files: Iterable<{ readonly path: string; readonly size: number }>,
): number {
  const room = new VolumeRoom(medium)
  for (const file of files) room.add(file.path, file.size)
  return room.bytes
}
