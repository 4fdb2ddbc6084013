// stream.ts WRITER DIRECTORY: writes file after file and tells on stdout, one number a line, which are durable. The
// product also replaces a file and publishes a directory each time.
import { writeSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { commitFile, publishDirectory } from '@carryall/durable'
import { contentOf } from './content.ts'
import { WRITERS, type WriterName } from './writers.ts'

const [writer, directory] = process.argv.slice(2) as [WriterName, string]
const LAST = 8000
for (let number = 1; number <= LAST; number++) {
  const content = contentOf(number)
  await WRITERS[writer](join(directory, `file-${number}`), content)
  if (writer === 'product') {
    await commitFile(join(directory, 'newest'), `${number}\n`)
    const staged = join(directory, 'staged')
    await mkdir(join(staged, 'inner'), { recursive: true })
    await writeFile(join(staged, 'inner', 'file'), content)
    await publishDirectory(staged, join(directory, `tree-${number}`))
  }
  writeSync(1, `${number}\n`)
}
