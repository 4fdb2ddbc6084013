import { mkdir } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { installBundles } from '../support/bundles.ts'
import { run } from '../support/run.ts'
import { makeScratch } from '../support/scratch.ts'
import { shell } from '../support/shell.ts'
import { treeOf } from '../support/storage.ts'
import { runInGuest } from './guest.ts'
import { makeFat32 } from './images.ts'
import { longText, makeSource } from './source.ts'
import { readSteps, stepFunctions } from './steps.ts'

const MIB = 2 ** 20
const STICKS = [1, 2, 3]

test('a power cut while sticks are written', async () => {
  await using installed = await installBundles()
  await using scratch = await makeScratch()
  const at = scratch.at
  await mkdir(at('share/steps'), { recursive: true })
  const files = Array.from({ length: 120 }, (_, n) => [`sub${n % 3}/small${n}.txt`, longText(16_000)] as const)
  const source = await makeSource(at('near'), 'stick', Object.fromEntries(files))
  await Promise.all(STICKS.map((n) => makeFat32(at(`stick${n}`), 34 * MIB)))
  // Of each stick less than a MiB is used: three volumes.
  const planned = await shell(
    installed,
    scratch.path,
    `transfer-plan near --have-nothing --media 34MiB --reserve 32.6MiB --filesystem fat32 >share/plan.json; jq '.volumes|length' share/plan.json`,
  )
  console.log(planned.stdout.toString(), planned.stderr)
  const guest = {
    disks: STICKS.map((n) => ({ file: at(`stick${n}`), type: 'vfat', at: `/media/stick${n}` })),
    share: at('share'),
    env: { PATH: installed.path, CARRYALL_STATE_DIR: '/run/state' },
    timeoutMs: 120_000,
  }
  const before = await runInGuest({
    ...guest,
    script: `${stepFunctions(at('share/steps'))}
cd ${at('share')}
transfer-pack plan.json --volume 1 --out /media/stick1 --rate-limit 20kB &
until [ "$(find /media/stick1/.carryall-partial-* -name '*.txt' -size +0 | wc -l)" -gt 5 ]; do sleep 0.05; done
sync -f /media/stick1
step done transfer-pack plan.json --volume 2 --out /media/stick2
transfer-pack plan.json --volume 3 --out /media/stick3 &
until compgen -G '/media/stick3/carryall-*' >/dev/null; do :; done

echo o >/proc/sysrq-trigger
sleep 60`,
  })
  console.log(before.stderr)
  const fscks = await Promise.all(STICKS.map((n) => run('fsck.vfat', ['-a', '-v', at(`stick${n}`)])))
  for (const f of fscks) console.log(f.exit, f.stdout.toString().split('\n').slice(17).join('\n'))
  const after = await runInGuest({
    ...guest,
    script: `${stepFunctions(at('share/steps'))}
cd ${at('share')}
for n in 1 2 3; do
  step left$n ls -A /media/stick$n
  step tree$n ls -lR /media/stick$n/.carryall-partial*
  compgen -G "/media/stick$n/carryall-*" >/dev/null && step kept$n sums /media/stick$n
  step again$n transfer-pack plan.json --volume $n --out /media/stick$n
  step sums$n sums /media/stick$n
done
step unpack transfer-unpack --content far /media/stick*
`,
  })
  const steps = await readSteps(at('share/steps'))
  console.log(after.stderr)
  for (const [name, { exit, stdout, stderr }] of Object.entries(steps)) console.log(name, exit, stdout.slice(0, exit ? 500 : 1500), stderr.slice(0, 1600))
  expect(await treeOf(at('share/far/stick/seq1-sample'))).toEqual(await treeOf(source.directory))
})
