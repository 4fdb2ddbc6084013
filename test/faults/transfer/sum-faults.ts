import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { output } from '../harness/index.ts'

const CHECK = 'for at; do (cd "$at" && sha256sum --check --strict --quiet SHA256SUMS >&2) || exit 1; done'
const NOT_NAMED = /^SHA256SUMS(?:\..*\.asc)?$/

/** A directory with sums, by its path, and the files that are in it. */
export type Summed = readonly [directory: string, files: readonly string[]]

/** What `sha256sum` finds wrong in directories, and files that their sums do not name. */
export async function sumFaults(summed: readonly Summed[]): Promise<readonly string[]> {
  if (summed.length === 0) return []
  const faults: string[] = []
  const directories = summed.map(([directory]) => directory)
  await output('sh', '-c', CHECK, 'sh', ...directories).catch((error: Error) => faults.push(error.message))
  for (const [directory, files] of summed) {
    const sums = await readFile(join(directory, 'SHA256SUMS'), 'utf8').catch(() => '')
    const named = [...sums.matchAll(/^[0-9a-f]{64} [ *](.+)$/gm)].map(([, name]) => name!).toSorted()
    const there = files.filter((file) => !NOT_NAMED.test(file)).toSorted()
    if (there.join() !== named.join())
      faults.push(`${directory} holds ${there.join()}, its sums are of ${named.join()}`)
  }
  return faults
}
