import { join } from 'node:path'
import { output, type Scratch } from './scratch.ts'

/** Makes an image of a directory of the scratch, as operators do. */
export async function makeImage(scratch: Scratch, flags: readonly string[], tree = 'tree'): Promise<string> {
  const path = join(scratch.path, 'image.iso')
  await output('xorriso', '-as', 'mkisofs', '-quiet', ...flags, '-o', path, join(scratch.path, tree))
  return path
}

/** These files in the directory that `makeImage` makes an image of. */
export const inTree = (files: Readonly<Record<string, string | Buffer>>) =>
  Object.fromEntries(Object.entries(files).map(([path, bytes]) => [`tree/${path}`, bytes]))
