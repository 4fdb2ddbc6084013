import { copyFile } from 'node:fs/promises'
import { installBundles } from '../../support/bundles.ts'
import { makeScratch, type Scratch } from '../../support/scratch.ts'

/** A bundled transfer tool that is killed, and room for what it works on. */
export interface Site extends AsyncDisposable {
  readonly scratch: Scratch
  /** The tool with these arguments, as an argv. Files are made as under the umask 077. */
  argv(...args: readonly string[]): readonly string[]
}

// A strict umask, for a mode that is given in a second step shows only under one.
const UMASK = ['/bin/sh', '-c', 'umask 077; exec "$@"', 'sh', process.execPath]

/** The bundle is a copy: making it anew does not change a run half-way. */
export async function startSite(tool: 'transfer-unpack' | 'transfer-pack'): Promise<Site> {
  const scratch = await makeScratch()
  const bundle = scratch.at(`${tool}.cjs`)
  await using installed = await installBundles()
  await copyFile(installed.bundle(tool), bundle)
  return {
    scratch,
    argv: (...args) => [...UMASK, bundle, ...args],
    [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
  }
}
