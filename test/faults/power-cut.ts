import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import {
  cutPower,
  type FileSystem,
  makeImage,
  makeReflinkVolume,
  mountImage,
  output,
  random,
  type Running,
  seed,
  start,
} from './harness/index.ts'
import { contentOf } from './programs/content.ts'
import type { WriterName } from './programs/writers.ts'

const MIB = 1024 * 1024
const STREAM = fileURLToPath(new URL('./programs/stream.ts', import.meta.url))

export interface Cut {
  /** How many numbers the writer had called durable before the cut. */
  readonly acknowledged: number
  /** What of them was lost, and what was there by half. */
  readonly lost: readonly string[]
}

/** Lets a writer run on a disk of its own, cuts the power so many times, at moments chosen by the seed, and looks at what each disk holds. */
export async function cutWhileWriting(
  type: FileSystem,
  writer: WriterName,
  cuts: number,
): Promise<readonly Cut[]> {
  await using volume = await makeReflinkVolume(4096 * MIB)
  const disk = join(volume.directory, 'disk')
  const copy = (number: number) => join(volume.directory, `cut-${number}`)
  await makeImage(disk, type, 512 * MIB)
  const acknowledged = await writeAndCut(disk, type, writer, cuts, copy)
  const found: Cut[] = []
  for (const [number, count] of acknowledged.entries()) {
    // The copies are looked at one after the other, for btrfs takes them all for one file system.
    await using mounted = await mountImage(copy(number), type)
    found.push({ acknowledged: count, lost: await lostIn(join(mounted.directory, 'work'), count, writer) })
  }
  return found
}

async function writeAndCut(
  disk: string,
  type: FileSystem,
  writer: WriterName,
  cuts: number,
  copy: (number: number) => string,
): Promise<readonly number[]> {
  await using live = await mountImage(disk, type)
  const work = join(live.directory, 'work')
  await mkdir(work)
  // The place is not the writer's to make durable.
  await output('sync', '--file-system', work)
  const program = start([process.execPath, STREAM, writer, work])
  const next = random(seed)
  const acknowledged: number[] = []
  try {
    for (let number = 0; number < cuts; number++) {
      await more(program, 5)
      await wait(next() * 200)
      // Asked before the cut: what is called durable while it happens need not be in it.
      acknowledged.push(count(program))
      await cutPower(disk, copy(number))
    }
  } finally {
    await program.kill()
  }
  return acknowledged
}

function count(program: Running): number {
  return program.stdout().split('\n').length - 1
}

async function more(program: Running, numbers: number): Promise<void> {
  const enough = count(program) + numbers
  while (count(program) < enough) {
    if (program.ended()) throw new Error(`The writer ended: ${program.stderr()}`)
    await wait(2)
  }
}

/** What an acknowledged number is without, and everything that is there by half. Uses node:fs alone. */
async function lostIn(directory: string, acknowledged: number, writer: WriterName): Promise<string[]> {
  const lost: string[] = []
  const names = new Set(await readdir(directory).catch(() => [] as string[]))
  const whole = async (name: string, path: string, number: number) => {
    const content = await readFile(join(directory, path)).catch(() => undefined)
    const needed = number <= acknowledged
    if (names.has(name) ? !content?.equals(contentOf(number)) : needed) lost.push(path)
  }
  for (let number = 1; number <= acknowledged + 100; number++) {
    await whole(`file-${number}`, `file-${number}`, number)
    if (writer === 'product') await whole(`tree-${number}`, `tree-${number}/inner/file`, number)
  }
  if (writer === 'product') {
    const newest = await readFile(join(directory, 'newest'), 'utf8').catch(() => '')
    if (!/^\d+\n$/.test(newest) || Number(newest) < acknowledged) lost.push('newest')
  }
  return lost
}
