import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runInProcess, type Ran } from '@carryall/cli/testing'
import type { Shipment } from '@carryall/shipment'
import { command as packCommand } from '@carryall/transfer-pack'
import { command as planCommand } from '@carryall/transfer-plan'
import { random } from '../support/random.ts'
import { mustRun } from '../support/run.ts'
import { treeOf } from '../support/storage.ts'
import { farAt, published, unpack, type Far, type Unpacked } from '../support/transfer-far.ts'
import { makeWorld, type World } from '../support/transfer-world.ts'

// The same volumes as a tar stream, as ISO 9660 images, encrypted, and by transfer-pack: what lands is the same.
const TRIES = process.env['CARRYALL_FULL'] === '1' ? 2000 : 24

let world: World
let shipments: readonly Shipment[]
let trust: readonly string[]
let volumes: readonly string[]
let oneVolume: readonly string[]
let content: string
beforeAll(async () => {
  world = await makeWorld()
  shipments = await world.range(1, 3)
  trust = ['--trust', await world.trust(['build'])]
  volumes = (await world.set(shipments, { volumes: 3 })).volumes
  oneVolume = (await world.set(shipments.slice(0, 1), { volumes: 1 })).volumes
  content = world.fresh('content')
  await mkdir(content)
  for (const { directory } of shipments) await mustRun('cp', ['-a', directory, content])
})
afterAll(() => world[Symbol.asyncDispose]())

async function expectAllIn(far: Far, numbers: readonly number[] = [1, 2, 3]): Promise<void> {
  expect(await published(far)).toEqual(numbers.map((number) => `sample/seq${number}-sample`))
  await expectTrueIn(far)
}

/** What crosses where 3, which borrows from 1, is all that is wanted. */
const NEEDED = [1, 3]

/** Whatever is there is what was sent. */
async function expectTrueIn(far: Far): Promise<void> {
  for (const name of await published(far)) {
    const source = shipments.find(({ metadata }) => metadata.name === basename(name))!
    expect(await treeOf(join(far.content, name))).toEqual(await treeOf(source.directory))
  }
}

async function unpacked(
  operands: readonly string[],
  more: { readonly flags?: readonly string[]; readonly stdin?: Buffer } = {},
): Promise<Unpacked & { readonly far: Far }> {
  const far = farAt(world.fresh('far'))
  const { flags = [], ...rest } = more
  return { ...(await unpack(far, operands, { flags: [...trust, ...flags], ...rest })), far }
}

/** A tar archive of these volumes by GNU tar: sums last, as they have to come in a stream. */
async function tarOf(directories: readonly string[]): Promise<string> {
  const file = `${world.fresh('tar')}.tar`
  for (const directory of directories) {
    const name = basename(directory)
    const all = await filesIn(directory)
    const about = ['volume.json', ...all.filter((path) => path.startsWith('sample/') && small(path))]
    const last = ['SHA256SUMS']
    const rest = all.filter((path) => ![...about, ...last].includes(path))
    const paths = [...about, ...rest, ...last].map((path) => `${name}/${path}`)
    await mustRun('tar', ['--append', '-f', file, '-C', dirname(directory), '--format=ustar', ...paths])
  }
  return file
}

const small = (path: string): boolean => /(?:-metadata\.yaml|SHA256SUMS.*)$/.test(path)

async function filesIn(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort()
}

async function imagesOf(directories: readonly string[]): Promise<string> {
  const medium = world.fresh('medium')
  await mkdir(medium)
  for (const directory of directories)
    await mustRun('xorriso', [
      ...['-as', 'mkisofs', '-quiet', '-R', '-no-pad', '-o', join(medium, `${basename(directory)}.iso`)],
      ...['-graft-points', `/=${directory}`],
    ])
  return medium
}

/** Volumes by the tools themselves. */
async function packed(...flags: readonly string[]): Promise<{ readonly out: string; readonly ran: Ran }> {
  const plan = await runInProcess(planCommand, [
    ...[content, '--have-nothing', '--media', 'unlimited', '--filesystem', 'ext4'],
  ])
  expect(plan.stderr).not.toContain('error')
  const out = world.fresh('packed')
  const ran = await runInProcess(packCommand, ['-', ...flags.map((flag) => flag.replace('OUT', out))], {
    stdin: plan.stdout,
  })
  expect(ran.exit, ran.stderr).toBe(0)
  return { out, ran }
}

describe('volumes in other forms', () => {
  test('GNU tar: an archive, and a stream on stdin', async () => {
    const file = await tarOf(volumes)
    const byPath = await unpacked([file])
    expect(byPath).toMatchObject({ exit: 0, errors: [] })
    await expectAllIn(byPath.far)
    const byPipe = await unpacked(['-'], { stdin: await readFile(file) })
    expect(byPipe).toMatchObject({ exit: 0, errors: [] })
    await expectAllIn(byPipe.far)
  })

  test('xorriso: images, one by one in any order, and a medium with them', async () => {
    const medium = await imagesOf(volumes)
    const images = (await readdir(medium)).map((name) => join(medium, name))
    const one = await unpacked(images.toReversed())
    expect(one).toMatchObject({ exit: 0, errors: [] })
    await expectAllIn(one.far)
    const all = await unpacked([medium])
    expect(all).toMatchObject({ exit: 0, errors: [] })
    await expectAllIn(all.far)
  })

  test('one as a directory, one as an image, one in a tar archive', async () => {
    const medium = await imagesOf(volumes.slice(1, 2))
    const ran = await unpacked([await tarOf(volumes.slice(2)), medium, volumes[0]!])
    expect(ran).toMatchObject({ exit: 0, errors: [] })
    await expectAllIn(ran.far)
  })

  test('transfer-pack: directories, images and a stream', async () => {
    for (const flag of [[], ['--iso']]) {
      const { out } = await packed('--out', 'OUT', ...flag)
      const ran = await unpacked([out])
      expect(ran).toMatchObject({ exit: 0, errors: [] })
      await expectAllIn(ran.far, NEEDED)
    }
    const file = world.fresh('stream')
    const { ran } = await packed('--stdout', '--result', `${file}.json`)
    await writeFile(file, ran.stdout)
    const streamed = await unpacked([file])
    expect(streamed).toMatchObject({ exit: 0, errors: [] })
    await expectAllIn(streamed.far, NEEDED)
  })

  test.each([[[]], [['--encrypt-metadata']]])('encrypted to age and to OpenPGP %j', async (more) => {
    const identity = world.fresh('identity')
    await mustRun('age-keygen', ['-o', identity])
    const recipient = (await mustRun('age-keygen', ['-y', identity])).toString().trim()
    const age = await packed('--out', 'OUT', '--encrypt-to', recipient, ...more)
    const byAge = await unpacked([age.out], { flags: ['--identity', identity] })
    expect(byAge).toMatchObject({ exit: 0, errors: [] })
    await expectAllIn(byAge.far, NEEDED)

    const { home, fingerprint } = await world.key('courier')
    const gpg = await packed('--out', 'OUT', '--encrypt-to', fingerprint, '--gpg-home', home, ...more)
    const byGpg = await unpacked([gpg.out], { flags: ['--gpg-home', home] })
    expect(byGpg).toMatchObject({ exit: 0, errors: [] })
    await expectAllIn(byGpg.far, NEEDED)
    expect((await unpacked([gpg.out])).exit).not.toBe(0)
  })
})

describe('damage in other forms', () => {
  /** Unpacks `file` as it is after each change; whatever lands is true, and what did not land is told. */
  async function tried(
    file: string,
    changes: readonly (readonly [what: string, change: (bytes: Buffer) => Buffer])[],
    flags: readonly string[] = [],
  ): Promise<ReadonlySet<number | string>> {
    const bytes = await readFile(file)
    const exits = new Set<number | string>()
    for (const [what, change] of changes) {
      await writeFile(file, change(Buffer.from(bytes)))
      const { exit, far, errors } = await unpacked([file], { flags })
      await expectTrueIn(far)
      expect([0, 65, 80, 81, 82, 83], `${what}: ${errors[0]?.message}`).toContain(exit)
      if (exit === 0) expect(await published(far)).toEqual(['sample/seq1-sample'])
      exits.add(exit)
    }
    await writeFile(file, bytes)
    return exits
  }
  const choose = random(7)
  const flips = (size: number) =>
    Array.from({ length: TRIES }, () => {
      const at = Math.floor(choose() * size)
      const change = (bytes: Buffer): Buffer => {
        bytes[at] = bytes[at]! ^ (1 << (at % 8))
        return bytes
      }
      return [`byte ${at}`, change] as const
    })
  /** At the borders of blocks, and a byte beside them. */
  const cuts = (size: number, block: number) =>
    Array.from({ length: Math.ceil(TRIES / 3) }, () => block * Math.floor((choose() * size) / block)).flatMap(
      (at) =>
        [-1, 0, 1].map((by) => {
          const length = Math.max(0, at + by)
          return [`${length} bytes`, (bytes: Buffer) => bytes.subarray(0, length)] as const
        }),
    )

  test('a tar archive with a flipped byte, or cut short', { timeout: 600_000 }, async () => {
    const file = await tarOf(oneVolume)
    const { length } = await readFile(file)
    expect(await tried(file, [...flips(length), ...cuts(length, 512)])).toContain(82)
  })

  test('an image with a flipped byte, or cut short', { timeout: 600_000 }, async () => {
    const medium = await imagesOf(oneVolume)
    const file = join(medium, (await readdir(medium))[0]!)
    const { length } = await readFile(file)
    expect(await tried(file, [...flips(length), ...cuts(length, 2048)])).toContain(82)
  })

  test('an encrypted volume with a flipped byte in each of its files', async () => {
    const identity = world.fresh('identity')
    await mustRun('age-keygen', ['-o', identity])
    const recipient = (await mustRun('age-keygen', ['-y', identity])).toString().trim()
    const { out } = await packed('--out', 'OUT', '--encrypt-to', recipient)
    const [name] = (await readdir(out)).filter((one) => one.startsWith('carryall-'))
    for (const path of await filesIn(join(out, name!))) {
      const file = join(out, name!, path)
      const bytes = await readFile(file)
      for (const at of new Set([0, Math.floor(bytes.length / 2), bytes.length - 1])) {
        const flipped = Buffer.from(bytes)
        flipped[at] = flipped[at]! ^ 1
        await writeFile(file, flipped)
        const ran = await unpacked([out], { flags: ['--identity', identity] })
        expect(ran.exit, `byte ${at} of ${path}`).toBe(82)
        await expectTrueIn(ran.far)
      }
      await writeFile(file, bytes)
    }
    const whole = await unpacked([out], { flags: ['--identity', identity] })
    expect(whole).toMatchObject({ exit: 0, errors: [] })
  })
})
