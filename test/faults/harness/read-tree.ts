import { createHash } from 'node:crypto'
import { lstat, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A directory as data, for comparing: each path in it with kind, mode, size and sha256. Uses nothing of the product. */
export async function readTree(directory: string): Promise<Record<string, string>> {
  const tree: Record<string, string> = {}
  for (const path of (await readdir(directory, { recursive: true })).toSorted()) {
    const at = join(directory, path)
    const info = await lstat(at)
    const mode = (info.mode & 0o7777).toString(8)
    if (info.isDirectory()) tree[path] = `directory ${mode}`
    else if (info.isFile()) tree[path] = `file ${mode} ${info.size} ${await sha256(at)}`
    else tree[path] = 'neither file nor directory'
  }
  return tree
}

async function sha256(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
}
