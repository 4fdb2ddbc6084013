import { mkdir, open, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { outputError } from './output-error.ts'
import { syncDirectory } from './sync-directory.ts'

/**
 * Makes a directory and those above it that are missing, with this mode whatever the umask, and makes their names durable.
 * What is there keeps its mode. Throws OUTPUT_EXISTS where a file is in the way, else as `commitFile` does.
 */
export async function ensureDirectory(path: string, mode = 0o755): Promise<void> {
  const absolute = resolve(path)
  try {
    for (const missing of await missingFrom(absolute)) await make(missing, mode)
  } catch (error) {
    throw outputError(error, 'make the directory', path)
  }
}

/** The directories to make, outermost first. */
async function missingFrom(path: string): Promise<string[]> {
  const missing: string[] = []
  for (let at = path; !(await isDirectory(at)); at = dirname(at)) missing.unshift(at)
  return missing
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

async function make(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode })
  } catch (error) {
    // Another run may have been quicker; what it made is as good.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' && (await isDirectory(path))) return
    throw error
  }
  const handle = await open(path)
  try {
    await handle.chmod(mode)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await syncDirectory(dirname(path))
}
