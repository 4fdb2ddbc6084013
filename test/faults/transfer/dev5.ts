import { startSite } from './site.ts'
import { makeUnpackCases } from './unpack-cases.ts'
import { makePackCases } from './pack-cases.ts'
import { makeImage, makeReflinkVolume, mountImage, cutPower } from '../harness/index.ts'
import { undisturbedRun } from './transfer-case.ts'
import { join } from 'node:path'
import { mkdir } from 'node:fs/promises'
await using site = await startSite('transfer-unpack')
const t = (l: string, a: number) => console.log(l, Math.round(performance.now() - a))
const [one] = await makeUnpackCases(site)
for (const type of ['ext4', 'xfs', 'btrfs'] as const) {
  let a = performance.now()
  await using volume = await makeReflinkVolume(4096 * 1024 * 1024)
  t(type + ' reflink volume', a)
  a = performance.now()
  const disk = join(volume.directory, 'disk')
  await makeImage(disk, type, 512 * 1024 * 1024)
  t('make', a)
  a = performance.now()
  {
    await using live = await mountImage(disk, type)
    t('mount', a)
    for (let i = 0; i < 3; i++) {
      a = performance.now()
      await mkdir(join(live.directory, 'r' + i))
      await undisturbedRun(one!.argv(join(live.directory, 'r' + i)))
      t('run', a)
    }
    a = performance.now()
    await cutPower(disk, disk + '2')
    t('cut', a)
    a = performance.now()
  }
  t('umount', a)
  a = performance.now()
  {
    await using m = await mountImage(disk + '2', type)
    t('mount2', a)
    a = performance.now()
  }
  t('umount2', a)
  a = performance.now()
}
