import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { KINDS } from '../shared/schemas/src/index.ts'
import { driftedFiles, generatedFiles } from './schemas.ts'

const run = promisify(execFile)
const SCRIPT = join(import.meta.dirname, 'schemas.ts')
const PUBLISHED = resolve(import.meta.dirname, '../shared/schemas')
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carryall-schemas-'))
})

afterEach(() => rm(folder, { recursive: true }))

test('what is published is what the schemas say', async () => {
  expect(await driftedFiles(PUBLISHED)).toEqual([])
})

test('the files are written, and nothing differs then', async () => {
  await run(process.execPath, [SCRIPT, folder])
  expect((await readdir(join(folder, 'json'))).toSorted()).toEqual(
    Object.keys(KINDS)
      .map((kind) => `${kind}.schema.json`)
      .toSorted(),
  )
  for (const [path, text] of generatedFiles()) {
    expect(await readFile(join(folder, path), 'utf8')).toBe(text)
    expect(text.endsWith('\n') && !text.endsWith('\n\n')).toBe(true)
  }
  expect((await run(process.execPath, [SCRIPT, '--check', folder])).stderr).toBe('')
})

test.each([
  ['a schema that differs', 'json/Sequence.schema.json', (file: string) => writeFile(file, '{}\n')],
  ['a schema that is missing', 'json/Receipt.schema.json', (file: string) => rm(file)],
  ['a schema of no kind', 'json/Gone.schema.json', (file: string) => writeFile(file, '{}\n')],
  ['a reference page that differs', 'README.md', (file: string) => writeFile(file, '# Documents\n')],
])('--check names %s and the command that mends it, which does', async (_what, path, spoil) => {
  await cp(join(PUBLISHED, 'json'), join(folder, 'json'), { recursive: true })
  await cp(join(PUBLISHED, 'README.md'), join(folder, 'README.md'))
  await spoil(join(folder, path))
  await expect(run(process.execPath, [SCRIPT, '--check', folder])).rejects.toMatchObject({
    code: 1,
    stdout: '',
    stderr: `${join(folder, path)} differs from the schemas; run: pnpm schemas\n`,
  })
  await run(process.execPath, [SCRIPT, folder])
  expect(await driftedFiles(folder)).toEqual([])
})

test('the reference page has a row for every key, with what it is', () => {
  const page = generatedFiles().get('README.md')!
  for (const kind of Object.keys(KINDS)) expect(page).toContain(`\n## ${kind}\n`)
  expect(page).toContain(
    '| `mirror.additionalImages[].targetTag` | text |  | Tag at the destination; that of the source, or `sha256-…`, if absent |',
  )
  expect(page).toContain('| `content_type` | `baseline` or `differential` | yes |')
  expect(page).toContain('| `sources.*.repository` | text | yes |')
  expect(page).toContain('| `tools.*` | map |  | Flags of one tool |')
  expect(page).toContain('| `blobs[].digest` | text | yes |')
  expect(page).toContain('| `blobs[].archive` | text |  | Held: the archive that it is in |')
  const rows = page.split('\n').filter((line) => line.startsWith('| `'))
  expect(rows.length).toBeGreaterThan(150)
  for (const row of rows) expect(row).toMatch(/^\| `[^`]+` \| [^|]+ \| (yes)? ?\| [^|]{4,} \|$/)
})
