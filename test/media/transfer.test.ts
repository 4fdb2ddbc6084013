import { mkdir, readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PlannedVolume, TransferPlan } from '@carryall/schemas'
import { installBundles, type Installed } from '../support/bundles.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { documents, shell } from '../support/shell.ts'
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
step names-after ls -A /media/stick3

fill /media/stick3 3000000
step plan-rest transfer-plan "$NEAR/stick" --have-nothing --media dir:/media/stick3
step pack-rest transfer-pack steps/plan-rest.stdout --volume 1 --out /media/stick3
step sums-rest sums /media/stick3
step after-rest room /media/stick3
step full transfer-pack stick.json --volume 2 --out /media/stick3/full
step full-after ls -A /media/stick3

rm -r /media/stick3/*
for medium in stick3 disc2; do
  mkdir /media/$medium/filled
  step filled-$medium transfer-pack stick.json --volume 2 --out /media/$medium/filled --rate-limit 200kB &
  until compgen -G "/media/$medium/filled/.carryall-partial-*" >/dev/null; do sleep 0.05; done
  fill /media/$medium
  wait $!
  step filled-after-$medium compgen -G "/media/$medium/filled/carryall-*"
  rm /media/$medium/ballast
  step freed-$medium transfer-pack stick.json --volume 2 --out /media/$medium/filled
  step sums-freed-$medium sums /media/$medium/filled
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

function volume(set: 'stick' | 'disc', number: number): PlannedVolume {
  return plans[set].volumes[number - 1]!
}

test('DEV', () => {
  for (const [name, { exit, stdout, stderr }] of Object.entries(steps)) console.log(name, exit, stdout.slice(0, exit ? 500 : 150), stderr.slice(0, 600))
  for (const s of ['stick', 'disc'] as const) for (const n of [1, 2]) {
    const v = volume(s, n)
    console.log(s, n, v.used_bytes, Number(step(`before-${s}${n}`).stdout) - Number(step(`after-${s}${n}`).stdout), v.medium.capacity_bytes)
  }
})
