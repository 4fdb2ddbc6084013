// What a medium does with the calls that matter to a writer: `node probe.ts DIRECTORY` writes a Report as JSON.
import {
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  statfs,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'

/** `ok` or the code of the error for each call. */
export interface Report {
  readonly type: number
  readonly blockBytes: number
  readonly blocks: number
  readonly calls: Readonly<Record<string, string>>
  /** What was read back of the file that was written, synced, renamed and synced again. */
  readonly text: string
  readonly names: readonly string[]
}

const FOUR_GIB = 2 ** 32

async function probe(directory: string): Promise<Report> {
  const at = (...parts: readonly string[]) => join(directory, ...parts)
  const { type, bsize, blocks } = await statfs(directory)
  const calls: Record<string, string> = {}
  const call = async (name: string, work: () => Promise<unknown>) => {
    calls[name] = await work().then(
      () => 'ok',
      (error: NodeJS.ErrnoException) => error.code ?? error.message,
    )
  }
  await call('write', () => writeFile(at('new'), 'carried\n'))
  await call('fsync', () => sync(at('new')))
  await call('rename', () => rename(at('new'), at('file')))
  await call('fsync of a directory', () => sync(directory))
  await call('link', () => link(at('file'), at('link')))
  await call('symlink', () => symlink('file', at('symlink')))
  await call('mkdir', () => mkdir(at('old')))
  await call('rename of a directory', () => rename(at('old'), at('moved')))
  await call('other case', () => readFile(at('FILE')))
  await call('colon', () => writeFile(at('a:b'), ''))
  await call('trailing dot', () => writeFile(at('dot.'), ''))
  await call('name of 255 characters', async () => {
    await writeFile(at('n'.repeat(255)), '')
    await rm(at('n'.repeat(255)))
  })
  await call('big file', () => writeFile(at('big'), ''))
  await call('truncate to 4 GiB', () => truncate(at('big'), FOUR_GIB))
  await call('write at 4 GiB - 1', async () => {
    await using file = await open(at('big'), 'r+')
    await file.write(Buffer.from('x'), 0, 1, FOUR_GIB - 1)
  })
  await rm(at('big'), { force: true })
  const names = (await readdir(directory)).toSorted()
  return { type, blockBytes: bsize, blocks, calls, text: await readFile(at('file'), 'utf8'), names }
}

async function sync(path: string): Promise<void> {
  await using handle = await open(path)
  await handle.sync()
}

process.stdout.write(`${JSON.stringify(await probe(process.argv[2]!))}\n`)
