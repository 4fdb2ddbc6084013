// write-file.ts WRITER DIRECTORY: replaces `replaced`. The smallest program that a writer can be judged by.
import { join } from 'node:path'
import { finish } from './finish.ts'
import { NEW } from './content.ts'
import { WRITERS, type WriterName } from './writers.ts'

const [writer, directory] = process.argv.slice(2) as [WriterName, string]
await finish(() => WRITERS[writer](join(directory, 'replaced'), NEW))
