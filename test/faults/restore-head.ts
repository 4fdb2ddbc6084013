import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Makes a copied content directory an original: its head names its own inode and time of birth. */
export async function restoreHead(content: string): Promise<void> {
  const file = join(content, '.carryall', 'head.json')
  const { ino, birthtimeNs } = await stat(content, { bigint: true })
  const head = JSON.parse(await readFile(file, 'utf8')) as object
  await writeFile(file, `${JSON.stringify({ ...head, inode: String(ino), born: String(birthtimeNs) })}\n`)
}
