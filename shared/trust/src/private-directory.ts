import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { removeTree } from '@carryall/durable'
import { fromSystemError } from '@carryall/errors'

/** A temporary directory that only we may enter, gone when it is given back with `await using`. */
export async function privateDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  try {
    const path = await mkdtemp(join(tmpdir(), 'carryall-'))
    return { path, [Symbol.asyncDispose]: () => removeTree(path) }
  } catch (error) {
    throw fromSystemError(error, `make a directory in ${tmpdir()}`)
  }
}
