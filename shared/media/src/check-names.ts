import { CarryallError } from '@carryall/errors'
import type { FileSystem } from './file-system.ts'

/**
 * Refuses paths that a file system cannot hold, or cannot hold beside one another: MEDIA_NAME_REFUSED with the path and
 * the reason. Each path at most once.
 */
export function checkNames(paths: Iterable<string>, system: FileSystem): void {
  const seen = new Map<string, string>()
  for (const path of paths) {
    let key = ''
    let at = ''
    for (const name of path.split('/')) {
      at = at === '' ? name : `${at}/${name}`
      key += `/${system.nameKey(name)}`
      const before = seen.get(key)
      if (before === at) continue
      const fault =
        before === undefined ? system.nameFault(name) : `${JSON.stringify(before)} is the same name there`
      if (fault !== undefined) throw refused(path, name, fault, system)
      seen.set(key, at)
    }
  }
}

function refused(path: string, name: string, fault: string, system: FileSystem): CarryallError {
  return new CarryallError(
    'MEDIA_NAME_REFUSED',
    `Cannot put ${JSON.stringify(path)} on ${system.name}: of ${JSON.stringify(name)}, ${fault}`,
    {
      hint: 'Use --filesystem ext4 or udf, or carry it as a stream or an archive',
      subject: { kind: 'file', name: path },
    },
  )
}
