import { execFile } from 'node:child_process'
import { mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { runInProcess } from '@carryall/cli/testing'
import { fileSystem } from '@carryall/media'
import type { TransferPlan } from '@carryall/schemas'
import type { Shipment } from '@carryall/shipment'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { command } from './command.ts'
import { makeContent, makePlan, MEDIUM } from './testing/sample-plan.ts'

const run = promisify(execFile)
const ISO = { name: 'cd', capacity_bytes: 1_500_000, filesystem: 'iso9660', cluster_bytes: 2048 } as const
const tables = fileSystem('iso9660').overheadBytes(0)
let root: string
let out: string
let shipments: readonly [Shipment, Shipment]
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'images-'))
  out = join(root, 'out')
  shipments = await makeContent(root)
})
afterEach(() => rm(root, { recursive: true }))

async function pack(plan: TransferPlan, ...flags: readonly string[]) {
  return runInProcess(command, ['-', '--out', out, '--iso', ...flags], { stdin: JSON.stringify(plan) })
}

const images = async (): Promise<readonly string[]> =>
  (await readdir(out)).filter((name) => name !== '.carryall-lock').toSorted()

test('images that anyone can read, no larger than planned, the same again', async () => {
  const plan = await makePlan(shipments, [ISO])
  const ran = await pack(plan)
  expect(ran).toMatchObject({ exit: 0 })
  expect(ran.documents.map(({ result }) => (result as { file: string }).file)).toEqual(
    (await images()).map((name) => join(out, name)),
  )
  const first = await Promise.all((await images()).map((name) => readFile(join(out, name))))
  for (const [index, name] of (await images()).entries()) {
    const file = join(out, name)
    // Its own tables were counted beside what a volume may take.
    expect((await stat(file)).size).toBeLessThanOrEqual(plan.volumes[index]!.used_bytes + tables)
    const at = join(root, `read-${index}`)
    await run('xorriso', ['-osirrox', 'on', '-indev', file, '-extract', '/', at])
    await run('sha256sum', ['--strict', '--quiet', '-c', 'SHA256SUMS'], { cwd: at })
    const { stdout } = await run('xorriso', ['-indev', file, '-pvd_info'])
    expect(stdout).toMatch(new RegExp(`Volume Id *: CARRYALL_00${index + 1}\n`))
  }
  const again = await pack(plan)
  expect(again.documents.every(({ result }) => !(result as { changed: boolean }).changed)).toBe(true)
  expect((await pack(plan, '--force')).exit).toBe(0)
  expect(await Promise.all((await images()).map((name) => readFile(join(out, name))))).toEqual(first)
})

test('a source that is damaged, whole or in parts, gives no image', async () => {
  for (const path of ['middle.tar', 'large.tar']) {
    const plan = await makePlan(shipments, [ISO])
    const file = join(shipments[1].directory, path)
    const bytes = await readFile(file)
    await writeFile(file, Buffer.alloc(bytes.length))
    const volume = plan.volumes.find(({ entries }) => entries.some((entry) => entry.path === path))!
    const ran = await pack(plan, '--volume', String(volume.number))
    expect(ran).toMatchObject({ exit: 82, documents: [{ errors: [{ code: 'DIGEST_MISMATCH' }] }] })
    expect((await images()).filter((name) => name.endsWith('.iso'))).toEqual([])
    await writeFile(file, bytes)
    expect((await pack(plan, '--volume', String(volume.number), '--verify-media')).exit).toBe(0)
    expect(await images()).toEqual([expect.stringMatching(/\.iso$/)])
    await rm(out, { recursive: true })
  }
})

test('a damaged image is named, and made again', async () => {
  const plan = await makePlan(shipments, [ISO])
  await pack(plan)
  const file = join(out, (await images())[0]!)
  const whole = await readFile(file)
  const at = whole.indexOf(
    await readFile(join(shipments[0].directory, 'payload.bin')).then((all) => all.subarray(0, 64)),
  )
  await using handle = await open(file, 'r+')
  await handle.write('other bytes', at)
  expect(await pack(plan)).toMatchObject({ exit: 82, documents: [{ errors: [{ code: 'DIGEST_MISMATCH' }] }] })
  expect((await pack(plan, '--force', '--volume', '1')).exit).toBe(0)
  expect((await readFile(file)).equals(whole)).toBe(true)
})

test('a plan for a medium that is too small for an image', async () => {
  const plan = await makePlan(shipments, [MEDIUM])
  const medium = { ...MEDIUM, capacity_bytes: 1_000_000 }
  const ran = await pack({ ...plan, volumes: plan.volumes.map((volume) => ({ ...volume, medium })) })
  expect(ran).toMatchObject({ exit: 73, documents: [{ errors: [{ code: 'MEDIA_TOO_SMALL' }] }] })
  await expect(readdir(out)).rejects.toMatchObject({ code: 'ENOENT' })
})
