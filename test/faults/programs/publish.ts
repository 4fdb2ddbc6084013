// publish.ts DIRECTORY: a tree is staged and published; what an earlier run staged is thrown away.
import { lstat, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  commitFile,
  ensureDirectory,
  publishDirectory,
  removeOrphans,
  removeTree,
  syncDirectory,
} from '@carryall/durable'
import { NEW, OLD } from './content.ts'
import { finish } from './finish.ts'

const directory = process.argv[2]!
await finish(async () => {
  const staged = join(directory, 'staging', 'tree')
  const final = join(directory, 'final')
  await ensureDirectory(join(directory, 'staging'))
  await removeOrphans(join(directory, 'staging'))
  await removeTree(staged)
  const published = await lstat(final).then(
    () => true,
    () => false,
  )
  // An earlier run may have died between the rename and the sync.
  if (published) return await syncDirectory(directory)
  await ensureDirectory(staged)
  // What is staged need not be durable yet: publishing it is what makes it so.
  await mkdir(join(staged, 'a', 'b'), { recursive: true })
  await writeFile(join(staged, 'large'), NEW)
  await commitFile(join(staged, 'a', 'b', 'small'), OLD)
  await publishDirectory(staged, final)
})
