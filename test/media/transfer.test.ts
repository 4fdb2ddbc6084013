import { createHash } from 'node:crypto'
import { mkdir, readFile, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TransferPlan } from '@carryall/schemas'
import { installBundles, type Installed } from '../support/bundles.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { shell } from '../support/shell.ts'
import { treeOf } from '../support/storage.ts'
import { runInGuest } from './guest.ts'
import { makeFat32, makeUdf } from './images.ts'
import { longText, makeSource } from './source.ts'
import { failureOf, readSteps, stepFunctions, type Step } from './steps.ts'

const MIB = 2 ** 20
const SMALL = { 'sub/dir/small.txt': 'small\n', 'é ü 日本': 'names\n', empty: '' }
/** What Linux takes as a name, and FAT does not. */
const ODD = { 'a:b': 'colon', 'dot.': 'dot', Twin: 'upper', twin: 'lower' }

let installed: Installed
let scratch: Scratch
let plans: Readonly<Record<'stick' | 'disc' | 'image', TransferPlan>>
let steps: Readonly<Record<string, Step>>

beforeAll(async () => {
  ;[installed, scratch] = await Promise.all([installBundles(), makeScratch()])
  const at = scratch.at
  await mkdir(at('share/steps'), { recursive: true })
  await Promise.all([
    makeSource(at('near/stick'), 'stick', { 'large.bin': longText(38 * 10 ** 6), ...SMALL }),
    makeSource(at('near/disc'), 'disc', { 'large.bin': longText(9 * 10 ** 6), ...SMALL, ...ODD }),
    makeSource(at('near/image'), 'image', { 'large.bin': longText(4 * 10 ** 6), ...SMALL, ...ODD }),
    ...['stick1', 'stick2', 'stick3'].map((name) => makeFat32(at(name), 34 * MIB)),
    makeUdf(at('disc1'), 8 * MIB, 2048),
    makeUdf(at('disc2'), 8 * MIB),
  ])
  const near = await shell(
    installed,
    scratch.path,
    `set -e
     transfer-plan near/stick --have-nothing --media 34MiB --filesystem fat32 >share/stick.json
     transfer-plan near/disc --have-nothing --media 8MiB --filesystem udf >share/disc.json
     transfer-plan near/image --have-nothing --media 2MiB --filesystem iso9660 >share/image.json
     transfer-pack share/image.json --iso --out share | jq -r .result.file`,
  )
  expect(near.exit, near.stderr).toBe(0)
  const images = near.stdout.toString().trim().split('\n')
  const planOf = async (name: string) =>
    JSON.parse(await readFile(at('share', `${name}.json`), 'utf8')) as TransferPlan
  plans = { stick: await planOf('stick'), disc: await planOf('disc'), image: await planOf('image') }

  const { exitCode, stdout, stderr } = await runInGuest({
    disks: [
      ...['stick1', 'stick2', 'stick3'].map((name) => ({
        ...{ file: at(name), type: 'vfat', at: `/media/${name}`, options: ['utf8'] },
      })),
      ...['disc1', 'disc2'].map((name) => ({ file: at(name), type: 'udf', at: `/media/${name}` })),
      ...[0, 2].map((index) => ({
        ...{ file: images[index]!, type: 'iso9660', at: `/media/image${index + 1}`, readOnly: true },
      })),
    ],
    share: at('share'),
    env: {
      PATH: installed.path,
      CARRYALL_STATE_DIR: '/run/state',
      NEAR: at('near'),
      IMAGE2: images[1]!,
    },
    timeoutMs: 300_000,
    script: `${stepFunctions(at('share/steps'))}
cd ${at('share')}
for volume in 1 2; do
  for set in stick disc; do
    medium=$set$volume
    step before-$medium room /media/$medium
    step pack-$medium transfer-pack $set.json --volume $volume --out /media/$medium --verify-media
    step after-$medium room /media/$medium
    step sums-$medium sums /media/$medium
  done
done
step sums-image1 sums /media/image1
step sums-image3 sums /media/image3
step unpack transfer-unpack --content far /media/stick2 /media/disc2 /media/image1 "$IMAGE2" /dev/ubdg /media/stick1 /media/disc1

step read-only transfer-pack disc.json --volume 2 --out /media/image1
step read-only-below transfer-pack disc.json --volume 2 --out /media/image1/not/there
step names transfer-pack disc.json --volume 2 --out /media/stick3
step after-names ls -A /media/stick3

for medium in stick3 disc2; do
  fill /media/$medium 2000000
  step plan-rest-$medium transfer-plan "$NEAR/stick" --have-nothing --media dir:/media/$medium
  step pack-rest-$medium transfer-pack steps/plan-rest-$medium.stdout --volume 1 --out /media/$medium
  step after-rest-$medium room /media/$medium
  step sums-rest-$medium sums /media/$medium "$(jq -r .result.directory steps/pack-rest-$medium.stdout)"
done
step before-full ls -A /media/stick3
step full transfer-pack stick.json --volume 2 --out /media/stick3/full
step after-full ls -A /media/stick3

for medium in stick3 disc2; do
  rm -r /media/$medium/*
  mkdir /media/$medium/late
  step late-$medium transfer-pack stick.json --volume 2 --out /media/$medium/late --rate-limit 500kB &
  until compgen -G "/media/$medium/late/.carryall-partial-*" >/dev/null || ! kill -0 $!; do sleep 0.05; done
  fill /media/$medium
  wait $!
  step after-late-$medium ls -A /media/$medium/late
  rm /media/$medium/ballast
  step freed-$medium transfer-pack stick.json --volume 2 --out /media/$medium/late
  step sums-freed-$medium sums /media/$medium/late
done
`,
  })
  expect(exitCode, `${stdout}${stderr}`).toBe(0)
  steps = await readSteps(at('share/steps'))
}, 300_000)
afterAll(async () => {
  await scratch[Symbol.asyncDispose]()
  await installed[Symbol.asyncDispose]()
})

function step(name: string): Step {
  const found = steps[name]
  if (found === undefined) throw new Error(`There is no step ${name}`)
  return found
}

describe.each([
  // Of a stick 512 bytes are a cluster, and what is left is the room for a signature.
  ['stick', 1, 4096],
  ['stick', 2, 4096],
  // Small files are in their own file entries, which is not planned.
  ['disc', 1, 32 * 1024],
  // Planned for blocks of 2048 bytes, with blocks of 512.
  ['disc', 2, 96 * 1024],
] as const)('%s %i', (set, number, spare) => {
  const medium = `${set}${number}`

  test('takes what was planned for it', () => {
    expect(step(`pack-${medium}`)).toMatchObject({ exit: 0 })
    const { used_bytes: planned } = plans[set].volumes[number - 1]!
    const taken = Number(step(`before-${medium}`).stdout) - Number(step(`after-${medium}`).stdout)
    expect(taken).toBeLessThanOrEqual(planned)
    expect(planned - taken).toBeLessThan(spare)
  })

  test('is checked by sha256sum', () => {
    expect(step(`sums-${medium}`)).toMatchObject({ exit: 0 })
  })
})

test.each(['stick', 'disc'] as const)('the first %s was planned full', (set) => {
  const [first, second, ...more] = plans[set].volumes
  expect(more).toEqual([])
  expect(first!.used_bytes).toBeGreaterThan(first!.medium.capacity_bytes! - 4096)
  expect(second!.used_bytes).toBeLessThan(first!.used_bytes)
})

test.each([
  ['stick3', 8192],
  ['disc2', 96 * 1024],
])('on %s a plan for what is free there fills it', (medium, spare) => {
  const { volumes } = JSON.parse(step(`plan-rest-${medium}`).stdout) as TransferPlan
  const [{ used_bytes: used, medium: planned }] = volumes as [TransferPlan['volumes'][number]]
  expect(used).toBeGreaterThan(planned.capacity_bytes! - 4096)
  expect(step(`pack-rest-${medium}`)).toMatchObject({ exit: 0 })
  expect(step(`sums-rest-${medium}`)).toMatchObject({ exit: 0 })
  expect(Number(step(`after-rest-${medium}`).stdout)).toBeLessThan(spare)
})

test('sticks, discs and images in any order give back what was sent', async () => {
  const { exit, stdout, stderr } = step('unpack')
  expect(exit, stderr).toBe(0)
  const landed = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { chain: { name: string }; result: { changed: boolean } })
  expect(landed.map(({ chain }) => chain.name).toSorted()).toEqual(['disc', 'image', 'stick'])
  expect(landed.every(({ result }) => result.changed)).toBe(true)
  for (const name of ['stick', 'disc', 'image']) {
    const sent = await treeOf(scratch.at('near', name, 'seq1-sample'))
    expect(Object.keys(sent)).toContain('é ü 日本')
    expect(await treeOf(scratch.at('share/far', name, 'seq1-sample'))).toEqual(sent)
  }
})

test('an image that is mounted is a volume like another', () => {
  expect(step('sums-image1')).toMatchObject({ exit: 0 })
  expect(step('sums-image3')).toMatchObject({ exit: 0 })
  // It has the name of its mount point, which is no lie.
  expect(step('unpack').stderr).not.toMatch(/holds volume/)
})

test('a medium that is read-only is refused', () => {
  expect(failureOf(step('read-only'))).toEqual([73, 'OUTPUT_NOT_WRITABLE'])
  expect(failureOf(step('read-only-below'))).toEqual([73, 'OUTPUT_NOT_WRITABLE'])
})

test('names that a stick cannot hold are refused before anything is written to it', () => {
  expect(failureOf(step('names'))).toEqual([73, 'MEDIA_NAME_REFUSED'])
  expect(step('after-names')).toMatchObject({ exit: 0, stdout: '' })
})

test('a stick that is full is refused before anything is written to it', () => {
  expect(failureOf(step('full'))).toEqual([74, 'IO_NO_SPACE'])
  expect(step('after-full').stdout).toBe(step('before-full').stdout)
})

test.each(['stick3', 'disc2'])('%s that becomes full meanwhile is completed when there is room', (medium) => {
  expect(failureOf(step(`late-${medium}`))).toEqual([74, 'IO_NO_SPACE'])
  expect(step(`after-late-${medium}`).stdout).toMatch(/^\.carryall-lock\n\.carryall-partial-\S+\n$/)
  expect(step(`freed-${medium}`)).toMatchObject({ exit: 0 })
  expect(step(`sums-freed-${medium}`)).toMatchObject({ exit: 0 })
})

describe('a plan for FAT32', () => {
  const planOf = async (at: Scratch, filesystem: string) => {
    const ended = await shell(
      installed,
      at.path,
      `transfer-plan near --have-nothing --media usb:64GB --filesystem ${filesystem}`,
    )
    return { exit: Number(ended.exit), stdout: ended.stdout.toString(), stderr: ended.stderr }
  }

  test('splits a file of more than 4 GiB, which other file systems take whole', async () => {
    await using own = await makeScratch()
    const size = 5 * 2 ** 30
    const { directory, metadata } = await makeSource(
      own.at('near'),
      'stick',
      { 'large.bin': '' },
      { files: [{ path: 'large.bin', size_bytes: size, sha256: createHash('sha256').digest('hex') }] },
    )
    // Sparse: nobody reads it.
    await truncate(join(directory, 'large.bin'), size)
    expect(metadata.files[0]!.size_bytes).toBe(size)
    const partsOn = async (filesystem: string) => {
      const { volumes } = JSON.parse((await planOf(own, filesystem)).stdout) as TransferPlan
      expect(volumes).toHaveLength(1)
      return volumes[0]!.entries.map(({ offset, size_bytes }) => [offset, size_bytes] as const)
    }
    const [first, second, ...more] = await partsOn('fat32')
    expect(more).toEqual([])
    expect(first![1]).toBeLessThan(2 ** 32)
    expect([first![0], second]).toEqual([0, [first![1], size - first![1]]])
    expect(await partsOn('exfat')).toEqual([[undefined, size]])
    expect(await partsOn('udf')).toEqual([[undefined, size]])
  })

  test.each([
    { names: ['a:b'] },
    { names: ['dot.'] },
    { names: ['sub/blank '] },
    { names: ['aux.txt'] },
    { names: ['Twin', 'twin'] },
    { names: ['sub/x', 'SUB/y'] },
  ])('refuses $names by name', async ({ names }) => {
    await using own = await makeScratch()
    await makeSource(own.at('near'), 'stick', Object.fromEntries(names.map((name) => [name, 'x\n'])))
    const refused = await planOf(own, 'fat32')
    expect(failureOf(refused)).toEqual([73, 'MEDIA_NAME_REFUSED'])
    const { errors } = JSON.parse(refused.stdout) as { errors: readonly { subject: { name: string } }[] }
    expect(names.map((name) => `stick/seq1-sample/${name}`)).toContain(errors[0]!.subject.name)
    expect(await planOf(own, 'udf')).toMatchObject({ exit: 0 })
  })
})
