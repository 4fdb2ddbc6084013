import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { runInProcess } from '@carryall/cli/testing'
import { mediumOfDirectory } from '@carryall/media'
import type { TransferPlan } from '@carryall/schemas'
import { readShipment, type Shipment } from '@carryall/shipment'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { command } from './command.ts'
import { makeContent, makePlan, MEDIUM, UNLIMITED } from './testing/sample-plan.ts'

const MIB = 2 ** 20
const run = promisify(execFile)
let root: string
let mounted: string
let shipments: readonly [Shipment, Shipment]
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'mounted-'))
  mounted = join(root, 'mounted')
  await mkdir(mounted)
  shipments = await makeContent(root)
})
afterEach(async () => {
  await run('umount', [mounted])
  await rm(root, { recursive: true })
})

/** Mounts a new file system as a medium. */
async function mount(program: string, bytes: number): Promise<void> {
  const image = join(root, 'image')
  await using handle = await open(image, 'w')
  await handle.truncate(bytes)
  await run(program, ['-q', image])
  await run('mount', ['-o', 'loop', image, mounted])
}

async function pack(plan: TransferPlan, out: string, ...flags: readonly string[]) {
  return runInProcess(command, ['-', '--out', out, ...flags], { stdin: JSON.stringify(plan) })
}

const visible = async (): Promise<readonly string[]> =>
  (await readdir(mounted)).filter((name) => name.startsWith('carryall-'))

test('a mounted medium is for one volume, which has to be named', async () => {
  await mount('mkfs.ext4', 20 * MIB)
  const plan = await makePlan(shipments, [MEDIUM])
  const refused = await pack(plan, mounted)
  expect(refused.exit).toBe(64)
  expect(refused.stderr).toContain('--volume N')
  expect((await pack(plan, mounted, '--volume', '2')).exit).toBe(0)
  expect(await visible()).toHaveLength(1)
  expect((await pack(plan, join(mounted, 'all'))).exit).toBe(0)
  expect((await readdir(join(mounted, 'all'))).length).toBe(plan.volumes.length + 1)
})

test('what does not fit is refused before it is begun', async () => {
  await mount('mkfs.ext4', 4 * MIB)
  const plan = await makePlan(shipments, [UNLIMITED])
  const ran = await pack(plan, mounted)
  expect(ran).toMatchObject({ exit: 74, documents: [{ errors: [{ code: 'IO_NO_SPACE' }] }] })
  expect((await readdir(mounted)).filter((name) => name !== 'lost+found')).toEqual([])
})

test('a plan for what is mounted fits there', async () => {
  await mount('mkfs.ext4', 8 * MIB)
  const plan = await makePlan(shipments, [await mediumOfDirectory(mounted, 2 * MIB)])
  expect(plan.volumes.length).toBeGreaterThan(1)
  expect((await pack(plan, mounted, '--volume', '1')).exit).toBe(0)
  const { available } = await room()
  expect(available).toBeGreaterThan(1.9 * MIB)
})

test('blocks are shared where the file system can, and every byte is still proven', async () => {
  await mount('mkfs.btrfs', 120 * MIB)
  await run('cp', ['-r', join(root, 'content'), mounted])
  const moved = await Promise.all(
    shipments.map(({ metadata }) => readShipment(join(mounted, 'content', metadata.name))),
  )
  const plan = await makePlan(moved, [UNLIMITED])
  const out = join(mounted, 'out')
  expect((await pack(plan, out)).exit).toBe(0)
  const [name] = (await readdir(out)).filter((one) => one.startsWith('carryall-'))
  const stored = join(out, name!, 'sample/seq2-sample/large.tar')
  const { stdout } = await run('filefrag', ['-v', stored])
  expect(stdout).toContain('shared')
  expect((await stat(stored)).mode & 0o777).toBe(0o644)
  const damaged = await open(join(moved[1]!.directory, 'large.tar'), 'r+')
  await damaged.write('other', 1000)
  await damaged.close()
  await run('sha256sum', ['--strict', '--quiet', '-c', 'SHA256SUMS'], { cwd: join(out, name!) })
  await rename(out, join(mounted, 'before'))
  expect(await pack(plan, out)).toMatchObject({
    exit: 82,
    documents: [{ errors: [{ code: 'DIGEST_MISMATCH' }] }],
  })
})

async function room(): Promise<{ readonly available: number }> {
  const { stdout } = await run('df', ['--output=avail', '--block-size=1', mounted])
  return { available: Number(stdout.split('\n')[1]) }
}
