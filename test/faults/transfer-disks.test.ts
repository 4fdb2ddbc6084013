import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { need, readTree, type Running, start } from './harness/index.ts'
import { insertDisk } from './transfer/disk.ts'
import { failureCodes } from './transfer/failures.ts'
import { readFarSide } from './transfer/far-side.ts'
import { readMedium } from './transfer/medium.ts'
import { makePlan, packArgv } from './transfer/pack-cases.ts'
import { differences } from './transfer/picture.ts'
import { type Site, startSite } from './transfer/site.ts'
import { ENVIRONMENT, undisturbedRun } from './transfer/transfer-case.ts'
import { makeMedia, unpackArgv } from './transfer/unpack-cases.ts'

const MIB = 1024 * 1024

beforeAll(() => need('losetup', 'mount', 'umount', 'fallocate', 'mkfs.ext4', 'mkfs.xfs', 'sha256sum'))

interface Ended {
  readonly exit: number | null
  readonly codes: readonly string[]
}

const begin = (argv: readonly string[]): Running => start(argv, { ...process.env, ...ENVIRONMENT })

async function ended(program: Running): Promise<Ended> {
  const { exitCode } = await program.exit
  return { exit: exitCode, codes: failureCodes(program.stdout()) }
}

const FULL: Ended = { exit: 74, codes: ['IO_NO_SPACE'] }

describe('transfer-unpack', () => {
  let site: Site
  let media: readonly string[]
  let after: Awaited<ReturnType<typeof readFarSide>>
  beforeAll(async () => {
    site = await startSite('transfer-unpack')
    media = await makeMedia(site.scratch.path)
    await mkdir(site.scratch.at('after'))
    await undisturbedRun(unpackArgv(site, site.scratch.at('after'), media))
    after = await readFarSide(site.scratch.at('after'))
  })
  afterAll(() => site[Symbol.asyncDispose]())

  describe.for(['ext4', 'xfs'] as const)('on %s', (type) => {
    test.for([0, 2 * MIB])(
      'refuses where %i bytes are free, and goes on when there is room',
      async (left) => {
        await using disk = await insertDisk(site.scratch.at('disk'), type)
        const root = join(disk.directory, 'root')
        await mkdir(root)
        await disk.fill(left)
        expect(await ended(begin(unpackArgv(site, root, media)))).toEqual(FULL)
        const { whole, others } = await readFarSide(root)
        expect(whole).toEqual({})
        expect(others.filter((path) => /\/(?:tree|parts)\/./.test(path))).toEqual([])
        await disk.free()
        await undisturbedRun(unpackArgv(site, root, media))
        expect(differences('there is', await readFarSide(root), after)).toEqual([])
      },
    )

    test('stops where another writer takes the room on the way, and goes on when there is room', async () => {
      await using disk = await insertDisk(site.scratch.at('disk'), type)
      const root = join(disk.directory, 'root')
      await mkdir(root)
      // Number 1 is whole with volumes 2 and 1; while it is scanned, the room for the rest goes.
      const scan = site.scratch.at('scan')
      await writeFile(
        scan,
        `#!/bin/sh\n[ -e ${disk.ballast} ] || fallocate --length $(($(stat -f -c '%a * %S' ${disk.directory}) - 400000)) ${disk.ballast}\n`,
      )
      await chmod(scan, 0o755)
      const argv = unpackArgv(site, root, [media[1]!, media[0]!, media[2]!])
      expect(await ended(begin([...argv, '--scan', scan]))).toEqual(FULL)
      const between = await readFarSide(root)
      expect(between.faults).toEqual([])
      expect(Object.keys(between.whole)).toContain('content/sample/seq1-sample')
      expect(Object.keys(between.whole)).not.toContain('content/sample/seq3-sample')
      await disk.free()
      await undisturbedRun(argv)
      expect(differences('there is', await readFarSide(root), after)).toEqual([])
    })
  })
})

describe('transfer-pack', () => {
  let site: Site
  let plan: string
  let source: string
  let untouched: Record<string, string>
  let after: Awaited<ReturnType<typeof readMedium>>
  beforeAll(async () => {
    site = await startSite('transfer-pack')
    const made = await makePlan(site.scratch.path)
    plan = made.plan
    source = made.source
    untouched = await readTree(source)
    await undisturbedRun(packArgv(site, site.scratch.at('after'), plan))
    after = await readMedium(site.scratch.at('after'))
  })
  afterAll(() => site[Symbol.asyncDispose]())

  const pack = (root: string, ...flags: readonly string[]) => [...packArgv(site, root, plan), ...flags]
  /** Slow enough that something can happen meanwhile: 4 MB are written. */
  const SLOWLY = ['--rate-limit', '4000000']

  /** Waits until the second volume is being written. */
  async function midway(out: string, program: Running): Promise<void> {
    for (;;) {
      const names = await readdir(out).catch(() => [])
      if (names.some((name) => /^\.carryall-partial-.*-002$/.test(name))) return
      if (program.ended()) throw new Error(`It ended before: ${program.stderr()}`)
      await wait(5)
    }
  }

  describe.for(['ext4', 'xfs'] as const)('on %s', (type) => {
    test.for([0, 2 * MIB])('refuses where %i bytes are free, and writes when there is room', async (left) => {
      await using disk = await insertDisk(site.scratch.at('disk'), type)
      await disk.fill(left)
      expect(await ended(begin(pack(disk.directory)))).toEqual(FULL)
      expect(await readdir(disk.directory)).not.toContain('out')
      await disk.free()
      await undisturbedRun(pack(disk.directory))
      expect(differences('there is', await readMedium(disk.directory), after)).toEqual([])
    })

    test('stops where another writer takes the room on the way, and goes on when there is room', async () => {
      await using disk = await insertDisk(site.scratch.at('disk'), type)
      const out = join(disk.directory, 'out')
      const program = begin(pack(disk.directory, ...SLOWLY))
      await midway(out, program)
      await disk.fill(100_000)
      expect(await ended(program)).toEqual(FULL)
      const between = await readMedium(disk.directory)
      expect(between.faults).toEqual([])
      expect(Object.keys(between.whole).length).toBeLessThan(3)
      await disk.free()
      await undisturbedRun(pack(disk.directory))
      expect(differences('there is', await readMedium(disk.directory), after)).toEqual([])
    })

    test('ends with an error at once where the medium is pulled out, and begins on another one', async () => {
      await using disk = await insertDisk(site.scratch.at('disk'), type)
      const program = begin(pack(disk.directory, ...SLOWLY))
      await midway(join(disk.directory, 'out'), program)
      await disk.pull()
      const pulled = performance.now()
      expect(await ended(program)).toEqual({ exit: 74, codes: ['IO_FAILED'] })
      expect(performance.now() - pulled).toBeLessThan(5000)
      expect(await readTree(source)).toEqual(untouched)
      await using fresh = await insertDisk(site.scratch.at('fresh'), type)
      await undisturbedRun(pack(fresh.directory))
      expect(differences('there is', await readMedium(fresh.directory), after)).toEqual([])
    })

    test('writes nothing beside a medium that is unmounted under it, and goes on when it is back', async () => {
      await using disk = await insertDisk(site.scratch.at('disk'), type)
      const out = join(disk.directory, 'out')
      const program = begin(pack(disk.directory, ...SLOWLY))
      await midway(out, program)
      await disk.unmount()
      const pulled = performance.now()
      expect(await ended(program)).toEqual({ exit: 73, codes: ['OUTPUT_NOT_WRITABLE'] })
      expect(performance.now() - pulled).toBeLessThan(5000)
      expect(await readdir(disk.directory)).toEqual([])
      await disk.mount()
      expect((await readMedium(disk.directory)).faults).toEqual([])
      await undisturbedRun(pack(disk.directory))
      expect(differences('there is', await readMedium(disk.directory), after)).toEqual([])
    })
  })
})
