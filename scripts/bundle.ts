// Makes one CommonJS file per tool: `bundle.ts tools/seq-meta …`, or all tools without an argument.
import { chmod, glob, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { build } from 'esbuild'
import { eagerHeavy } from './eager-imports.ts'

const ROOT = resolve(import.meta.dirname, '..')

const named = process.argv.slice(2).map((folder) => resolve(folder))
const tools = named.length > 0 ? named : await allTools()
await Promise.all(tools.map((tool) => bundle(tool)))

async function allTools(): Promise<string[]> {
  const entries = await Array.fromAsync(glob('tools/*/src/bin.ts', { cwd: ROOT }))
  return entries.map((entry) => dirname(dirname(join(ROOT, entry))))
}

async function bundle(folder: string): Promise<void> {
  const entry = join(folder, 'src/bin.ts')
  const shebang = (await readFile(entry, 'utf8')).startsWith('#!')
  const outfile = join(folder, 'dist', `${basename(folder)}.cjs`)
  const { metafile, outputFiles } = await build({
    entryPoints: [entry],
    outfile,
    absWorkingDir: ROOT,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    // As constructor calls these cost nothing until they are used; as literals V8 compiles them at every start.
    supported: { 'regexp-set-notation': false, 'regexp-unicode-property-escapes': false },
    // Identifiers, too: it is a tenth of what a small tool takes to start.
    minify: true,
    legalComments: 'none',
    banner: shebang ? {} : { js: '#!/usr/bin/env node' },
    // Empty in CommonJS, so that it would fail only when run.
    logOverride: { 'empty-import-meta': 'error' },
    logLevel: 'error',
    metafile: true,
    write: false,
  })
  const heavy = eagerHeavy(metafile)
  if (heavy.length > 0)
    throw new Error(
      `${basename(folder)} loads at start what it should load when needed:\n${heavy.join('\n')}`,
    )
  await mkdir(dirname(outfile), { recursive: true })
  // By rename: a tool may be running, or starting, from the old file.
  const fresh = `${outfile}.${process.pid}`
  await writeFile(fresh, outputFiles[0]!.contents)
  await chmod(fresh, 0o755)
  await rename(fresh, outfile)
}
