import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readTree } from '../harness/index.ts'
import type { Picture } from './picture.ts'
import { sumFaults, type Summed } from './sum-faults.ts'

/** `out` below the directory of a medium, where `transfer-pack` writes: volumes, by their final names, and all else. */
export async function readMedium(root: string): Promise<Picture> {
  const out = join(root, 'out')
  const names = await readdir(out).catch(() => [] as string[])
  const whole: Record<string, unknown> = {}
  const volumes: Summed[] = []
  const others: string[] = []
  for (const name of names.toSorted()) {
    const directory = join(out, name)
    const tree = await readTree(directory).catch(() => ({}))
    if (!name.startsWith('carryall-'))
      others.push(
        ...[name, ...Object.keys(tree).map((path) => join(name, path))].map((path) => join('out', path)),
      )
    else {
      whole[name] = { '.': (await stat(directory)).mode & 0o7777, ...tree }
      volumes.push([directory, filesOf(tree)])
    }
  }
  return { whole, memory: {}, others, faults: await sumFaults(volumes) }
}

/** The paths in a tree that are no directories. */
export function filesOf(tree: Readonly<Record<string, string>>): readonly string[] {
  return Object.keys(tree).filter((path) => !tree[path]!.startsWith('directory'))
}
