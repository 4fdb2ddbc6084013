// Keeps each tool's README true: the block between the marks is its help text. `--check` only compares.
import { glob, readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { helpText, type Command } from '../shared/cli/src/index.ts'

const ROOT = resolve(import.meta.dirname, '..')
const BLOCK = /(<!-- help -->\n)[\s\S]*?(<!-- \/help -->)/
const check = process.argv.includes('--check')
let stale = 0

for await (const file of glob('tools/*/src/command.ts', { cwd: ROOT })) {
  const folder = dirname(dirname(join(ROOT, file)))
  const { command } = (await import(join(ROOT, file))) as { command: Command }
  const readme = join(folder, 'README.md')
  const before = await readFile(readme, 'utf8')
  if (!BLOCK.test(before)) throw new Error(`${readme} has no <!-- help --> block`)
  const after = before.replace(
    BLOCK,
    (_all, open: string, close: string) => `${open}${helpBlock(command)}${close}`,
  )
  if (after === before) continue
  stale++
  if (check)
    process.stderr.write(`${basename(folder)}/README.md does not say what its -h says; run: pnpm docs\n`)
  else await writeFile(readme, after)
}
process.exitCode = check && stale > 0 ? 1 : 0

function helpBlock(command: Command): string {
  const texts =
    command.verbs.length > 1
      ? command.verbs.map((verb) => helpText(command, verb))
      : [helpText(command, command.verbs[0])]
  // What is the same in every tool is told once, in the README at the top.
  const own = texts.map((text) => text.replace(/\nFlags of every command:[\s\S]*?(?=\nExamples:|$)/, ''))
  return own.map((text) => `\`\`\`text\n${text.trimEnd()}\n\`\`\`\n`).join('\n')
}
