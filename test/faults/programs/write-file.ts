// write-file.ts WRITER DIRECTORY: replaces `replaced`. The smallest program that a writer can be judged by.
import { join } from 'node:path'
import { removeOrphans } from '@carryall/durable'
import { NEW } from './content.ts'
import { finish } from './finish.ts'
import { WRITERS, type WriterName } from './writers.ts'

const [writer, directory] = process.argv.slice(2) as [WriterName, string]
await finish(async () => {
  await removeOrphans(directory)
  await WRITERS[writer](join(directory, 'replaced'), NEW)
})
