import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Readable } from 'node:stream'
import { openVolumes } from '../open-volumes.ts'
import type { VolumeFile, VolumeSource } from '../volume-source.ts'

const execute = promisify(execFile)

/** A directory that goes with its scope. */
export interface Scratch extends Disposable {
  readonly path: string
  /** Writes files below it, with their directories. */
  readonly write: (files: Readonly<Record<string, string | Buffer>>) => void
}

export function makeScratch(parent = tmpdir()): Scratch {
  const path = mkdtempSync(join(parent, 'media-read-'))
  return {
    path,
    write: (files) => {
      for (const [name, bytes] of Object.entries(files)) {
        mkdirSync(dirname(join(path, name)), { recursive: true })
        writeFileSync(join(path, name), bytes)
      }
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  }
}

/** The name of the volume that the tests use. */
export const VOLUME = 'carryall-0a1b2c3d-001'

/** A volume's files, with what makes them awkward: long and other names, empty files, a size that is no multiple of anything. */
export function sampleFiles(volume = VOLUME): Readonly<Record<string, string | Buffer>> {
  const files = {
    SHA256SUMS: 'sums\n',
    [`SHA256SUMS.${'A1'.repeat(20)}.asc`]: 'signature\n',
    'volume.json': '{}\n',
    'edge/seq1-baseline/mirror_000001.tar': Buffer.alloc(3 * 1024 * 1024 + 1, 'x'),
    'edge/seq1-baseline/seq-metadata.yaml': 'kind: Sequence\n',
    'edge/seq1-baseline/größe-漢字.txt': 'unicode\n',
    'edge/seq1-baseline/empty': '',
    [`edge/seq1-baseline/${'n'.repeat(200)}.rpm`]: 'long\n',
    'edge/seq1-baseline/a/b/c/d/e/f/g/h/deep': 'deep\n',
    'edge/seq1-baseline/README': 'upper\n',
    'edge/seq1-baseline/readme': 'lower\n',
    'edge/seq1-baseline/name with blanks.;1': 'version\n',
    [`parts/${'0f'.repeat(16)}/0001`]: Buffer.alloc(2048, 'p'),
  }
  return Object.fromEntries(Object.entries(files).map(([path, bytes]) => [`${volume}/${path}`, bytes]))
}

/** What a program writes on stdout. Rejects where it fails. */
export async function output(program: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await execute(program, args, {
    env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8', TZ: 'UTC' },
    maxBuffer: 64 << 20,
  })
  return stdout
}

/** Path, size and sha256 of every file, as lines, in the order of reading. */
export async function digests(files: AsyncIterable<VolumeFile>): Promise<string[]> {
  const lines: string[] = []
  for await (const file of files) lines.push(`${await sha256(file)}  ${file.path}`)
  return lines
}

async function sha256(file: VolumeFile): Promise<string> {
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of file.chunks()) {
    hash.update(chunk)
    size += chunk.length
  }
  if (size !== file.size) throw new Error(`${file.path}: ${size} bytes of ${file.size}`)
  return hash.digest('hex')
}

/** Every volume of an operand with its digests; all is read, and closed. */
export async function readVolumes(operand: string | Readable): Promise<Record<string, string[]>> {
  const found: Record<string, string[]> = {}
  for await (const volume of openVolumes(operand)) {
    found[volume.name] = await digests(volume.files())
    await volume.close()
  }
  return found
}

/** As `digests`, of a directory and by coreutils. */
export async function sumsOf(directory: string): Promise<string[]> {
  const paths = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  const lines = await output('sha256sum', '--zero', '--', ...paths)
  return lines
    .split('\0')
    .filter((line) => line !== '')
    .map((line) => line.replace(`${directory}/`, ''))
}

/** The volumes of an operand, all at once. */
export async function allVolumes(operand: string | Readable): Promise<VolumeSource[]> {
  const volumes: VolumeSource[] = []
  for await (const volume of openVolumes(operand)) volumes.push(volume)
  return volumes
}
