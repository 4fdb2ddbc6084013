import { readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'

/** The files under a directory that this process holds open: one that is left to the garbage collector ends the process. */
export async function openFiles(directory: string): Promise<readonly string[]> {
  const handles = await readdir('/proc/self/fd')
  const names = await Promise.all(
    handles.map((handle) => readlink(join('/proc/self/fd', handle)).catch(() => '')),
  )
  return names.filter((name) => name.startsWith(`${directory}/`)).sort()
}
