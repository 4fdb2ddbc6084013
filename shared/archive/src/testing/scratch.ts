import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type ArchiveWriter, openArchive } from '../archive-writer.ts'
import type { ArchiveEntry } from '../parse-archive.ts'
import { type ArchivePlan, planArchives } from '../plan-archives.ts'
import { readEntries } from '../read-entries.ts'

const execute = promisify(execFile)

/** A directory that goes with its scope: `using scratch = makeScratch()`. */
export interface Scratch extends Disposable {
  readonly path: string
  /** Writes a file in it and gives its path. */
  readonly file: (name: string, bytes: Buffer) => string
}

export function makeScratch(parent = tmpdir()): Scratch {
  const path = mkdtempSync(join(parent, 'archive-'))
  return {
    path,
    file: (name, bytes) => {
      writeFileSync(join(path, name), bytes)
      return join(path, name)
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  }
}

/** What a program writes on stdout. Rejects where it exits with another code than 0. */
export async function output(program: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await execute(program, args, {
    env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', TZ: 'UTC' },
    maxBuffer: 64 << 20,
  })
  return stdout
}

/** All entries of an archive. */
export async function entriesOf(...source: Parameters<typeof readEntries>): Promise<ArchiveEntry[]> {
  const entries: ArchiveEntry[] = []
  for await (const entry of readEntries(...source)) entries.push(entry)
  return entries
}

export interface Content {
  readonly name: string
  readonly data: Buffer
}

/** Plans and writes one archive of this content. */
export async function writeArchive(path: string, contents: readonly Content[]): Promise<ArchivePlan> {
  const plan = planOf(contents)
  const writer = await openArchive(path, plan)
  await writeContents(writer, contents)
  await writer.close()
  return plan
}

export function planOf(contents: readonly Content[]): ArchivePlan {
  return planArchives(contents.map(({ name, data }) => ({ name, size: data.length })))[0]!
}

/** All entries at once, each in two pieces, the second piece first. */
export async function writeContents(writer: ArchiveWriter, contents: readonly Content[]): Promise<void> {
  await Promise.all(
    contents.toReversed().map(async ({ name, data }) => {
      const { offset } = writer.plan.entries.find((entry) => entry.name === name)!
      const middle = data.length >>> 1
      await writer.write(offset + middle, data.subarray(middle))
      await writer.write(offset, data.subarray(0, middle))
    }),
  )
}
