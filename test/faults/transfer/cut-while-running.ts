import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import {
  cutPower,
  type FileSystem,
  makeImage,
  makeReflinkVolume,
  mountImage,
  output,
  random,
  seed,
  start,
} from '../harness/index.ts'
import type { Measured } from './disturb-transfer.ts'
import { differences, halfDone } from './picture.ts'
import { ENVIRONMENT, undisturbedRun } from './transfer-case.ts'

const MIB = 1024 * 1024

export interface TransferCut {
  /** What was wrong on the disk after the cut, and after a run that went on there. */
  readonly found: readonly string[]
  /** Something was done, and something was still to be done. */
  readonly midway: boolean
}

/** Lets a tool do its work again and again on a disk of its own, cuts the power once in each run, and looks at what each disk holds. */
export async function cutWhileRunning(
  { one, before, after }: Measured,
  type: FileSystem,
  cuts: number,
): Promise<readonly TransferCut[]> {
  await using volume = await makeReflinkVolume(4096 * MIB)
  const disk = join(volume.directory, 'disk')
  const copy = (number: number) => join(volume.directory, `cut-${number}`)
  await makeImage(disk, type, 512 * MIB)
  const reported = await runAndCut(disk, type, one, { cuts, copy, all: Object.keys(after.whole) })
  const made: TransferCut[] = []
  for (const [number, names] of reported.entries()) {
    // The copies are looked at one after the other, for btrfs takes them all for one file system.
    await using mounted = await mountImage(copy(number), type)
    const root = rootIn(mounted.directory, number)
    const between = await one.read(root)
    const found = [...between.faults, ...halfDone(between, before, after)]
    for (const name of names) if (!(name in between.whole)) found.push(`${name} was reported and is lost`)
    // What ended before has told that all is done.
    if (number > 0)
      found.push(
        ...differences('the run before left', await one.read(rootIn(mounted.directory, number - 1)), after),
      )
    await undisturbedRun(one.argv(root)).catch((error: Error) => found.push(`the next run ${error.message}`))
    found.push(...differences('the next run left', await one.read(root), after))
    const done = Object.keys(between.whole).length + between.others.length
    const midway = done > 0 && Object.keys(between.whole).length < Object.keys(after.whole).length
    made.push({ found: found.map((text) => `${one.name} on ${type}, cut ${number}: ${text}`), midway })
  }
  return made
}

const rootIn = (directory: string, number: number) => join(directory, `root-${number}`)

/** For each cut, what had been reported before it. */
async function runAndCut(
  disk: string,
  type: FileSystem,
  one: Measured['one'],
  {
    cuts,
    copy,
    all,
  }: { readonly cuts: number; readonly copy: (number: number) => string; readonly all: readonly string[] },
): Promise<readonly (readonly string[])[]> {
  await using live = await mountImage(disk, type)
  const next = random(seed)
  const reported: (readonly string[])[] = []
  let duration = 0
  for (let number = -1; number < cuts; number++) {
    const root = rootIn(live.directory, number)
    await mkdir(root)
    // The place is not the tool's to make durable.
    await output('sync', '--file-system', root)
    const began = performance.now()
    const program = start(one.argv(root), { ...process.env, ...ENVIRONMENT })
    if (number >= 0) {
      // Spread over all that it does.
      await Promise.race([wait(((number + next()) / cuts) * duration), program.exit])
      // Asked before the cut: what is reported while it happens need not be in it.
      reported.push(program.ended() ? all : await one.reported(root))
      await cutPower(disk, copy(number))
    }
    const { exitCode } = await program.exit
    if (exitCode !== 0) throw new Error(`${one.name} ended with ${exitCode}: ${program.stderr()}`)
    duration = performance.now() - began
  }
  return reported
}
