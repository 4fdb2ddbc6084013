// commit.ts DIRECTORY: what commitFile does, both ways, and ensureDirectory.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { commitFile, ensureDirectory, removeOrphans } from '@carryall/durable'
import { isCarryallError } from '@carryall/errors'
import { inParts, NEW } from './content.ts'
import { finish } from './finish.ts'

const directory = process.argv[2]!
await finish(async () => {
  const inner = join(directory, 'outer', 'inner')
  await ensureDirectory(inner)
  for (const place of [directory, inner]) await removeOrphans(place)
  await commitFile(join(directory, 'replaced'), inParts(NEW))
  const fresh = join(inner, 'fresh')
  try {
    await commitFile(fresh, NEW, { replace: false, mode: 0o600 })
  } catch (error) {
    // An earlier run may have come so far.
    if (!isCarryallError(error, 'OUTPUT_EXISTS') || !(await readFile(fresh)).equals(NEW)) throw error
  }
})
