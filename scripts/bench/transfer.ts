import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { toJson } from '../../shared/schemas/src/index.ts'
import { makeShipment } from '../../shared/shipment/src/testing/index.ts'
import type { Shipment } from '../../shared/shipment/src/read-shipment.ts'
import { type Contest, PEAK_MEGABYTES } from './contest.ts'
import { measured } from './measured.ts'
import { cacheDirectory } from './set-storage.ts'
import { contentOf } from './sides.ts'
import { NODE, type Stage } from './stage.ts'

const QUIET = ['-q', '--progress', 'none'] as const
const MANY = 1000

/** `transfer-pack` of set L onto a disk against `cp` and `sync` of the same files: reading, hashing, writing, fsync. */
export async function packing(stage: Stage): Promise<Contest> {
  const content = await contentOf(stage, 'L')
  const plan = await planned(stage, content)
  const disk = await onDisk()
  const out = join(disk, 'out')
  return {
    letter: 'g',
    title: 'pack, L',
    own: {
      name: 'transfer-pack',
      run: () => into(out, stage, stage.own('transfer-pack', ...QUIET, plan, '--out', out)),
    },
    peer: await copying(stage, content, out),
    goal: 1.5,
    memoryGoal: PEAK_MEGABYTES,
  }
}

/** `transfer-unpack` of the volume with set L, on a disk, against `cp` and `sync` of it. */
export async function unpacking(stage: Stage): Promise<Contest> {
  const plan = await planned(stage, await contentOf(stage, 'L'))
  const media = await stage.fresh('media')
  await measured(stage.own('transfer-pack', ...QUIET, plan, '--out', media), stage)
  const out = join(await onDisk(), 'out')
  const unpack = stage.own(
    'transfer-unpack',
    ...QUIET,
    media,
    '--content',
    out,
    '--state-dir',
    join(out, 'state'),
  )
  return {
    letter: 'h',
    title: 'unpack, L',
    own: { name: 'transfer-unpack', run: () => into(out, stage, unpack) },
    peer: await copying(stage, media, out),
    goal: 1.5,
    memoryGoal: PEAK_MEGABYTES,
  }
}

/** Planning a chain of a thousand shipments, given as documents on stdin, against the start of Node. */
export async function planning(stage: Stage): Promise<Contest> {
  const content = join(await stage.fresh('chain'), 'content')
  const documents: string[] = []
  let previous: Shipment | undefined
  for (let number = 1; number <= MANY; number++) {
    previous = await makeShipment(content, {
      number,
      ...(previous === undefined ? {} : { previous, dependencies: [needs(previous)] }),
    })
    const result = {
      ok: true,
      changed: false,
      directory: previous.directory,
      metadata_digest: previous.metadataDigest,
    }
    documents.push(toJson({ ...(previous.value as object), result }))
  }
  const input = join(stage.scratch, 'shipments.ndjson')
  await writeFile(input, `${documents.join('\n')}\n`)
  const plan = stage.own('transfer-plan', ...QUIET, '--have-nothing', '--media', 'usb:64GB')
  const command = ['sh', '-c', 'exec "$@" <"$0"', input, ...plan]
  return {
    letter: 'i',
    title: `plan, ${MANY} shipments`,
    own: { name: 'transfer-plan', run: () => measured(command, stage) },
    peer: { name: 'node -e 0', run: () => measured([NODE, '-e', '0'], stage) },
    differenceGoal: 0.5,
    memoryGoal: 150,
  }
}

async function planned(stage: Stage, content: string): Promise<string> {
  const plan = join(stage.scratch, 'plan.json')
  const command = stage.own('transfer-plan', ...QUIET, content, '--have-nothing', '--media', 'unlimited')
  await measured([...command, '--result', plan], stage)
  return plan
}

async function copying(stage: Stage, source: string, out: string): Promise<Contest['peer']> {
  const names = (await readdir(source)).filter((name) => !name.startsWith('.'))
  const copy = await stage.script('copy', [
    ['mkdir', '-p', out],
    ['cp', '-r', '--reflink=never', ...names.map((name) => join(source, name)), out],
    ['sync', '-f', out],
  ])
  return { name: 'cp, sync', run: () => into(out, stage, copy) }
}

async function into(
  out: string,
  stage: Stage,
  command: readonly string[],
): ReturnType<Contest['own']['run']> {
  await rm(out, { recursive: true, force: true })
  await measured(['sync'], stage)
  return measured(command, stage)
}

/** A directory beside the data sets: on tmpfs an fsync costs nothing. */
async function onDisk(): Promise<string> {
  await mkdir(cacheDirectory(process.env), { recursive: true })
  const directory = await mkdtemp(join(cacheDirectory(process.env), 'disk-'))
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
  return directory
}

const needs = ({ metadata, metadataDigest }: Shipment) => ({
  sequence_number: metadata.sequence_number,
  name: metadata.name,
  metadata_digest: metadataDigest,
})
