// commit.ts DIRECTORY: what commitFile does, both ways, and what a second run has to clean.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { commitFile, removeOrphans } from '@carryall/durable'
import { isCarryallError } from '@carryall/errors'
import { inParts, NEW } from './content.ts'
import { finish } from './finish.ts'

const directory = process.argv[2]!
await finish(async () => {
  await removeOrphans(directory)
  await commitFile(join(directory, 'replaced'), inParts(NEW))
  const fresh = join(directory, 'fresh')
  try {
    await commitFile(fresh, NEW, { replace: false, mode: 0o600 })
  } catch (error) {
    // An earlier run may have come so far.
    if (!isCarryallError(error, 'OUTPUT_EXISTS') || !(await readFile(fresh)).equals(NEW)) throw error
  }
})
