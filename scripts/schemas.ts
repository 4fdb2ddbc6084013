// Writes the JSON Schemas and the reference page of the document kinds; with `--check` it compares instead, and exits 1
// where something differs. A folder may be given in place of shared/schemas.
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { jsonSchema, KINDS, toPrettyJson } from '../shared/schemas/src/index.ts'
import { referencePage } from './reference-page.ts'

const FOLDER = resolve(import.meta.dirname, '../shared/schemas')

/** Everything that is made from the schemas: text by path. */
export function generatedFiles(): ReadonlyMap<string, string> {
  const schemas = Object.keys(KINDS).map((kind) => [`json/${kind}.schema.json`, jsonSchema(kind)!] as const)
  return new Map([
    ...schemas.map(([path, schema]) => [path, `${toPrettyJson(schema)}\n`] as const),
    ['README.md', referencePage(Object.values(KINDS))],
  ])
}

/** Paths in `folder` that differ from what is made, are missing, or are made no more. */
export async function driftedFiles(folder: string): Promise<readonly string[]> {
  const files = generatedFiles()
  const differing = await Promise.all(
    [...files].map(async ([path, text]) => ((await readIfThere(join(folder, path))) === text ? [] : [path])),
  )
  return [...differing.flat(), ...(await leftOver(folder, files))]
}

async function writeFiles(folder: string): Promise<void> {
  const files = generatedFiles()
  for (const path of await leftOver(folder, files)) await rm(join(folder, path))
  for (const [path, text] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
}

async function leftOver(folder: string, files: ReadonlyMap<string, string>): Promise<readonly string[]> {
  const there = await readdir(join(folder, 'json')).catch(() => [])
  return there.map((name) => `json/${name}`).filter((path) => !files.has(path))
}

async function readIfThere(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined)
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    options: { check: { type: 'boolean' } },
    allowPositionals: true,
  })
  const folder = resolve(positionals[0] ?? FOLDER)
  if (values.check) {
    const drifted = await driftedFiles(folder)
    for (const path of drifted)
      console.error(`${join(folder, path)} differs from the schemas; run: pnpm schemas`)
    if (drifted.length > 0) process.exitCode = 1
  } else await writeFiles(folder)
}
