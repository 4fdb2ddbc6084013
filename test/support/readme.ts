import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What the README of a tool shows. */
export interface Readme {
  /** The one block of commands that has this text in it. */
  commands(text: string): string
  /** The one fenced block of a language that has this text in it. */
  fenced(language: string, text: string): string
}

/** Reads the README of a tool; `replace` puts the addresses and paths of a test in the place of those that it shows. */
export async function readReadme(tool: string, replace: (text: string) => string): Promise<Readme> {
  const file = join(import.meta.dirname, '../../tools', tool, 'README.md')
  const text = (await readFile(file, 'utf8')).replace(/<!-- help -->.*<!-- \/help -->/s, '')
  const only = (blocks: readonly string[], wanted: string): string => {
    const found = blocks.filter((block) => block.includes(wanted))
    if (found.length !== 1) throw new Error(`${found.length} blocks of ${file} have "${wanted}"`)
    return replace(found[0]!)
  }
  const indented = text.match(/(?:^ {4}.*\n)+/gm) ?? []
  return {
    commands: (wanted) =>
      only(
        indented.map((block) => block.replaceAll(/^ {4}/gm, '')),
        wanted,
      ),
    fenced: (language, wanted) =>
      only(
        [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].flatMap(([, of, block]) =>
          of === language ? [block!] : [],
        ),
        wanted,
      ),
  }
}
