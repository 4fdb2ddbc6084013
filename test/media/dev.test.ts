import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { test } from 'vitest'
import { makeShipment } from '@carryall/shipment/testing'
import { installBundles } from '../support/bundles.ts'
import { makeScratch } from '../support/scratch.ts'
import { shell } from '../support/shell.ts'
import { runInGuest } from './guest.ts'
import { makeFat32, makeUdf } from './images.ts'
import { readSteps, withSteps } from './steps.ts'

const MIB = 2 ** 20
const text = (bytes: number) => randomBytes(Math.ceil(bytes * 0.75)).toString('base64').slice(0, bytes)
const chain = (n: number, name: string) => ({ id: `00000000-0000-4000-8000-00000000000${n}`, name })

test('dev', async () => {
  await using installed = await installBundles()
  await using scratch = await makeScratch()
  const t0 = Date.now()
  const lap = (what: string) => console.log(what, Date.now() - t0)
  const share = scratch.at('share')
  await mkdir(scratch.at('share/steps'), { recursive: true })
  await makeShipment(scratch.at('near/stick'), {
    number: 1, chain: chain(1, 'stick'), kind: 'Unheard',
    files: { 'large.bin': text(38_000_000), 'sub/dir/small.txt': 'small\n', 'é ü 日本': 'x', empty: '' },
  })
  await makeShipment(scratch.at('near/disc'), {
    number: 1, chain: chain(2, 'disc'), kind: 'Unheard',
    files: { 'large.bin': text(9_000_000), 'a:b': 'colon', 'dot.': 'dot', Twin: 'T', twin: 't', 'sub/é': 'x', empty: '' },
  })
  await makeShipment(scratch.at('near/image'), {
    number: 1, chain: chain(3, 'image'), kind: 'Unheard',
    files: { 'large.bin': text(4_000_000), 'a:b': 'colon', 'dot.': 'dot', Twin: 'T', twin: 't', 'sub/é': 'x', empty: '' },
  })
  lap('made')
  const sh = await shell(installed, scratch.path, `set -ex
   transfer-plan near/stick --have-nothing --media 34MiB --filesystem fat32 >share/stick.json
   transfer-plan near/disc --have-nothing --media 8MiB --filesystem udf >share/disc.json
   transfer-plan near/image --have-nothing --media 2MiB --filesystem iso9660 >share/image.json
   transfer-pack share/image.json --iso --out share/isos >packed.json
   `)
  lap('planned')
  console.log(sh.exit, sh.stderr.slice(-2000))
  for (const n of ['stick', 'disc', 'image'])
    for (const v of JSON.parse(await readFile(scratch.at(`share/${n}.json`), 'utf8')).volumes)
      console.log(n, v.number, v.used_bytes, v.medium, v.entries.length)
  const isos = await readdir(scratch.at('share/isos'))
  console.log(isos, sh.stderr)
  for (const n of [1, 2, 3]) await makeFat32(scratch.at(`fat${n}`), 34 * MIB)
  for (const n of [1, 2]) await makeUdf(scratch.at(`udf${n}`), 8 * MIB)
  const iso = (n: number) => scratch.at('share/isos', isos.filter(i => i.endsWith('.iso'))[n - 1]!)
  lap('images')
  const ran = await runInGuest({
    disks: [
      ...[1, 2, 3].map((n) => ({ file: scratch.at(`fat${n}`), type: 'vfat', at: `/media/fat${n}`, options: n === 3 ? [] : ['utf8'] })),
      ...[1, 2].map((n) => ({ file: scratch.at(`udf${n}`), type: 'udf', at: `/media/udf${n}` })),
      ...[1, 3].map((n) => ({ file: iso(n), type: 'iso9660', at: `/media/iso${n}`, readOnly: true })),
    ],
    share,
    env: { PATH: installed.path, CARRYALL_STATE_DIR: '/run/state' },
    timeoutMs: 300_000,
    script: withSteps(scratch.at('share/steps'), `
cd ${share}
timed() { local t=$(date +%s%N); "$@"; echo "$* $(( ($(date +%s%N) - t) / 1000000 ))"; }
for n in 1 2; do
  room /media/fat$n
  timed step fat$n transfer-pack stick.json --out /media/fat$n --volume $n --verify-media
  room /media/fat$n
  timed step fatsums$n sums /media/fat$n
  room /media/udf$n
  timed step udf$n transfer-pack disc.json --out /media/udf$n --volume $n --verify-media
  room /media/udf$n
  timed step udfsums$n sums /media/udf$n
done
timed step ro transfer-pack stick.json --out /media/iso1 --volume 2
timed step ro2 transfer-pack stick.json --out /media/iso1/a/b --volume 2
timed step ro3 transfer-pack image.json --out /media/iso1 --volume 1
timed step names transfer-pack disc.json --out /media/fat3 --volume 2
ls -A /media/fat3
cat /dev/zero >/media/fat3/ballast 2>/dev/null
sync
truncate -s -3000000 /media/fat3/ballast
room /media/fat3
timed step plandir transfer-plan ${scratch.at('near/stick')} --have-nothing --media dir:/media/fat3
jq -c '.volumes[0] | {used_bytes,medium}' steps/plandir.stdout
timed step exact transfer-pack steps/plandir.stdout --out /media/fat3 --volume 1
room /media/fat3
timed step full transfer-pack image.json --out /media/fat3/sub --volume 1
timed step unpack transfer-unpack --content ${share}/far /media/fat1 /media/fat2 /media/udf2 /media/udf1 /media/iso1 ${iso(2)} /dev/ubdg
timed true
`)})
  lap('guest')
  console.log(ran.exitCode, ran.stdout, ran.stderr)
  for (const [name, step] of await readSteps(scratch.at('share/steps')))
    console.log('-----', name, step.exit, step.stdout.slice(0, step.exit ? 1500 : 200), step.stderr.slice(-600))
  const d = await shell(installed, scratch.path, 'for c in stick disc image; do diff -r near/$c share/far/$c && echo same; done; find share/far')
  console.log(d.stdout.toString(), d.stderr)
}, 400_000)
