import { access, constants } from 'node:fs/promises'
import { join } from 'node:path'

const DIRECTORIES = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** Fails with a clear message where the suite cannot run: it needs root and these programs. Nothing is ever skipped. */
export async function need(...programs: readonly string[]): Promise<void> {
  const missing: string[] = []
  for (const program of programs) if (!(await isThere(program))) missing.push(program)
  if (missing.length > 0) throw new Error(`The fault suite needs these programs: ${missing.join(', ')}`)
  if (process.getuid?.() !== 0)
    throw new Error('The fault suite needs root, for loop devices, mounts and tracing')
}

async function isThere(program: string): Promise<boolean> {
  for (const directory of DIRECTORIES) {
    const found = await access(join(directory, program), constants.X_OK).then(
      () => true,
      () => false,
    )
    if (found) return true
  }
  return false
}
