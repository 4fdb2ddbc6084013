import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readTree } from './harness/index.ts'
import { NEW, OLD } from './programs/content.ts'
import type { WriterName } from './programs/writers.ts'

/** A program that writes into a directory, and what must hold there at every moment. */
export interface Case {
  readonly name: string
  argv(directory: string): readonly string[]
  /** What is there before. */
  prepare(directory: string): Promise<void>
  /** What is neither old nor new, in words; nothing if all is well. Reads with node:fs alone. */
  judge(directory: string): Promise<readonly string[]>
  /** What the run makes durable, relative. */
  readonly finals: readonly string[]
}

const program = (name: string) => fileURLToPath(new URL(`./programs/${name}`, import.meta.url))

/** Replacing one file, by any of the writers. */
export function fileCase(writer: WriterName): Case {
  return {
    name: writer,
    argv: (directory) => [process.execPath, program('write-file.ts'), writer, directory],
    prepare: (directory) => writeFile(join(directory, 'replaced'), OLD),
    judge: (directory) => isOneOf(join(directory, 'replaced'), OLD, NEW),
    finals: ['replaced'],
  }
}

export const commitCase: Case = {
  name: 'commitFile',
  argv: (directory) => [process.execPath, program('commit.ts'), directory],
  prepare: (directory) => writeFile(join(directory, 'replaced'), OLD, { mode: 0o600 }),
  judge: async (directory) => [
    ...(await isOneOf(join(directory, 'replaced'), OLD, NEW)),
    ...(await isOneOf(join(directory, 'outer', 'inner', 'fresh'), undefined, NEW)),
  ],
  finals: ['replaced', 'outer', 'outer/inner', 'outer/inner/fresh'],
}

export const publishCase: Case = {
  name: 'publishDirectory',
  argv: (directory) => [process.execPath, program('publish.ts'), directory],
  // Two runs died here: one in commitFile or removeTree, one in its staging.
  prepare: async (directory) => {
    const orphan = join(directory, 'staging', '.carryall-tmp-0123456789abcdef01234567')
    await mkdir(join(orphan, 'a'), { recursive: true })
    await writeFile(join(orphan, 'a', 'half'), OLD)
    await mkdir(join(directory, 'staging', 'tree'))
    await writeFile(join(directory, 'staging', 'tree', 'half'), OLD)
  },
  judge: async (directory) => {
    const tree = await readTree(join(directory, 'final')).catch(() => undefined)
    if (tree === undefined) return []
    const names = Object.keys(tree).join()
    return [
      ...(names === 'a,a/b,a/b/small,large' ? [] : [`final holds ${names}`]),
      ...(await isOneOf(join(directory, 'final', 'large'), NEW)),
      ...(await isOneOf(join(directory, 'final', 'a', 'b', 'small'), OLD)),
    ]
  },
  finals: ['final', 'final/large', 'final/a', 'final/a/b', 'final/a/b/small'],
}

/** `undefined` stands for a file that is not there. */
async function isOneOf(
  path: string,
  ...allowed: readonly (Buffer | undefined)[]
): Promise<readonly string[]> {
  const content = await readFile(path).catch(() => undefined)
  const fine = allowed.some((one) =>
    one === undefined || content === undefined ? one === content : one.equals(content),
  )
  return fine ? [] : [`${path} has ${content?.length ?? 'no'} bytes`]
}
