import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { CarryallError } from '@carryall/errors'

/** Where programs are looked for, whatever PATH the caller has; it is also the PATH that they get. */
export const PROGRAM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

const found = new Map<string, string>()

/**
 * The absolute path of a program, looked up once per process; an absolute path is only checked.
 * Throws EXEC_NOT_FOUND; the hint names `debianPackage`.
 */
export async function findProgram(program: string, debianPackage?: string): Promise<string> {
  const known = found.get(program)
  if (known !== undefined) return known
  for (const path of candidates(program)) {
    if (!(await isExecutable(path))) continue
    found.set(program, path)
    return path
  }
  throw new CarryallError('EXEC_NOT_FOUND', `Cannot find the program "${program}"`, {
    hint:
      debianPackage === undefined
        ? `Install it in one of ${PROGRAM_PATH}`
        : `Install the package ${debianPackage}: apt-get install ${debianPackage}`,
    subject: { kind: 'program', name: program },
  })
}

function candidates(program: string): string[] {
  if (isAbsolute(program)) return [program]
  return program.includes('/') ? [] : PROGRAM_PATH.split(':').map((directory) => join(directory, program))
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}
