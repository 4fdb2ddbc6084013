import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A directory of its own that goes with its scope. */
export interface Scratch extends AsyncDisposable {
  /** Absolute. */
  readonly path: string
  /** A path in it. */
  at(...parts: readonly string[]): string
}

/** Makes a fresh directory. `await using scratch = await makeScratch()` removes it. */
export async function makeScratch(parent = tmpdir()): Promise<Scratch> {
  const path = await mkdtemp(join(parent, 'carryall-test-'))
  return {
    path,
    at: (...parts) => join(path, ...parts),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}
