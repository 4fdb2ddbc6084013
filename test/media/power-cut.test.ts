import { mkdir, readFile } from 'node:fs/promises'
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
/** How the power cut found each: while it was written, with all done and nobody else syncing it, when its volume got its name. */
const STICKS = ['written', 'done', 'named'] as const

test('a power cut leaves sticks with whole volumes, or what the same command completes', async () => {
  await using installed = await installBundles()
  await using scratch = await makeScratch()
  const at = scratch.at
  await mkdir(at('share/steps'), { recursive: true })
  const files = Array.from({ length: 120 }, (_, n) => [`sub${n % 3}/${n}.txt`, longText(16_000)] as const)
  const source = await makeSource(at('near'), 'stick', Object.fromEntries(files))
  await Promise.all(STICKS.map((name) => makeFat32(at(name), 34 * MIB)))
  const planned = await shell(
    installed,
    scratch.path,
    'transfer-plan near --have-nothing --media 34MiB --reserve 32.6MiB --filesystem fat32 >share/plan.json && jq ".volumes | length" share/plan.json',
  )
  expect(planned.stdout.toString(), planned.stderr).toBe(`${STICKS.length}\n`)
  const guest = {
    disks: STICKS.map((name) => ({ file: at(name), type: 'vfat', at: `/media/${name}` })),
    share: at('share'),
    env: { PATH: installed.path, CARRYALL_STATE_DIR: '/run/state' },
    timeoutMs: 120_000,
  }

  const cut = await runInGuest({
    ...guest,
    script: `${stepFunctions(at('share/steps'))}
cd ${at('share')}
transfer-pack plan.json --volume 1 --out /media/written --rate-limit 20kB &
until [ "$(find /media/written -name '*.txt' -size +0 | wc -l)" -gt 3 ] || ! kill -0 $!; do sleep 0.05; done
sync -f /media/written
step done transfer-pack plan.json --volume 2 --out /media/done
mkdir /run/far
step receipt transfer-unpack --content /run/far --receipt-only --receipt /media/done/receipt.json
transfer-pack plan.json --volume 3 --out /media/named &
until compgen -G '/media/named/carryall-*' >/dev/null || ! kill -0 $!; do :; done
echo o >/proc/sysrq-trigger
sleep 60`,
  })
  expect(cut.exitCode).toBeNull()
  for (const name of STICKS)
    // 1: there was something to repair.
    expect((await run('fsck.vfat', ['-a', at(name)])).exit).toBeOneOf([0, 1])

  const mended = await runInGuest({
    ...guest,
    script: `${stepFunctions(at('share/steps'))}
cd ${at('share')}
volume=0
for name in ${STICKS.join(' ')}; do
  step left-$name ls -A /media/$name
  if compgen -G "/media/$name/carryall-*" >/dev/null; then step kept-$name sums /media/$name; fi
  step again-$name transfer-pack plan.json --volume $((++volume)) --out /media/$name
  step sums-$name sums /media/$name
done
cat /media/done/receipt.json >receipt.json
step unpack transfer-unpack --content far /media/*`,
  })
  expect(mended, mended.stderr).toMatchObject({ exitCode: 0 })
  const steps = await readSteps(at('share/steps'))
  const exitOf = (name: string) => steps[name]?.exit

  expect(steps['left-written']!.stdout).toMatch(/^\.carryall-lock\n\.carryall-partial-\S+\n$/)
  expect([exitOf('done'), exitOf('kept-done')]).toEqual([0, 0])
  expect(exitOf('receipt')).toBe(0)
  expect(JSON.parse(await readFile(at('share/receipt.json'), 'utf8'))).toMatchObject({ kind: 'Receipt' })
  // It may have its name or not.
  expect(exitOf('kept-named') ?? 0).toBe(0)
  for (const name of STICKS) expect([exitOf(`again-${name}`), exitOf(`sums-${name}`)]).toEqual([0, 0])
  // What was there was used.
  expect(steps['again-written']!.stderr).toMatch(/already there/)
  expect(exitOf('unpack')).toBe(0)
  expect(await treeOf(at('share/far/stick/seq1-sample'))).toEqual(await treeOf(source.directory))
})
