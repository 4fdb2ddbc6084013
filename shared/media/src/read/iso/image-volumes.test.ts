import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { linkSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CarryallError } from '@carryall/errors'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { inTree, makeImage } from '../testing/make-image.ts'
import {
  allVolumes,
  makeScratch,
  output,
  readVolumes,
  sampleFiles,
  type Scratch,
  sumsOf,
  VOLUME,
} from '../testing/scratch.ts'
import { openImage } from './image.ts'
import { listImage } from './list-image.ts'

/** The files of an image by xorriso, as path and sha256. */
async function extracted(scratch: Scratch, image: string): Promise<string[]> {
  const target = join(scratch.path, 'extracted')
  await output('xorriso', '-osirrox', 'on', '-indev', image, '-extract', '/', target)
  // The modes of the image's directories may forbid what comes next.
  await output('chmod', '-R', 'u+rwX', target)
  return sumsOf(target)
}

async function listed(image: string): Promise<string[]> {
  const opened = await openImage(image)
  const files = await listImage(opened)
  const lines: string[] = []
  for (const { path, extents } of files) {
    const hash = createHash('sha256')
    for (const { position, size } of extents)
      for await (const chunk of opened.chunks(position, size)) hash.update(chunk)
    lines.push(`${hash.digest('hex')}  ${path}`)
  }
  await opened.close()
  return lines
}

describe('reads what xorriso writes', () => {
  test.each([
    ['Rock Ridge', ['-R']],
    ['Rock Ridge and Joliet', ['-R', '-J']],
    ['Rock Ridge at level 3', ['-R', '-iso-level', '3']],
    ['plain permissions', ['-r']],
    ['no padding', ['-R', '-no-pad']],
    ['long names in the ISO tree too', ['-R', '-iso-level', '4', '-relaxed-filenames', '-allow-lowercase']],
    ['inodes', ['-R', '--hardlinks']],
    ['an old Rock Ridge', ['-R', '--old-empty']],
  ])('with %s', async (_what, flags) => {
    using scratch = makeScratch()
    scratch.write(inTree(sampleFiles()))
    const image = await makeImage(scratch, flags)
    const found = await readVolumes(image)
    expect(Object.keys(found)).toEqual([VOLUME])
    expect(found[VOLUME]!.toSorted()).toEqual((await sumsOf(join(scratch.path, 'tree', VOLUME))).toSorted())
    expect(found[VOLUME]!.slice(0, 4).map((line) => line.slice(66))).toEqual([
      'SHA256SUMS',
      `SHA256SUMS.${'A1'.repeat(20)}.asc`,
      'volume.json',
      'edge/seq1-baseline/README',
    ])
  })

  test.each([['1'], ['2'], ['3']])('without Rock Ridge at level %s', async (level) => {
    using scratch = makeScratch()
    scratch.write(inTree(sampleFiles()))
    const image = await makeImage(scratch, ['--norock', '-iso-level', level])
    expect((await listed(image)).toSorted()).toEqual((await extracted(scratch, image)).toSorted())
    await expect(allVolumes(image)).rejects.toMatchObject({ code: 'VOLUME_INVALID' })
  })

  test('whose root is the volume', async () => {
    using scratch = makeScratch()
    scratch.write(inTree(sampleFiles()))
    await output('mv', join(scratch.path, 'tree', VOLUME), join(scratch.path, 'volume'))
    const image = await makeImage(scratch, ['-R'], 'volume')
    const found = await readVolumes(image)
    expect(found['image']?.toSorted()).toEqual((await sumsOf(join(scratch.path, 'volume'))).toSorted())
  })

  test('with several volumes, each open for as long as it is wanted', async () => {
    using scratch = makeScratch()
    const second = 'carryall-0a1b2c3d-002'
    scratch.write(inTree({ ...sampleFiles(second), ...sampleFiles(), 'README.txt': 'not ours' }))
    const volumes = await allVolumes(await makeImage(scratch, ['-R']))
    expect(volumes.map(({ name, replayable }) => ({ name, replayable }))).toEqual([
      { name: VOLUME, replayable: true },
      { name: second, replayable: true },
    ])
    await volumes[0]!.close()
    await volumes[0]!.close()
    for (const repeat of [1, 2]) {
      const paths: string[] = []
      for await (const { path, chunks } of volumes[1]!.files()) {
        paths.push(path)
        for await (const chunk of chunks()) expect(chunk.length, `${repeat}`).toBeLessThanOrEqual(1024 * 1024)
      }
      expect(paths).toHaveLength(Object.keys(sampleFiles()).length)
    }
    await volumes[1]!.close()
  })

  test('with 5,000 files in one directory', async () => {
    using scratch = makeScratch('/dev/shm')
    const files = Array.from(
      { length: 5000 },
      (_, index) => `${VOLUME}/p/${'package-'.repeat(5)}${index}.rpm`,
    )
    scratch.write(
      inTree({ [`${VOLUME}/volume.json`]: '{}', ...Object.fromEntries(files.map((name) => [name, name])) }),
    )
    const found = await readVolumes(await makeImage(scratch, ['-R']))
    expect(found[VOLUME]!.toSorted()).toEqual((await sumsOf(join(scratch.path, 'tree', VOLUME))).toSorted())
  })

  test('with bytes behind its end, as burning leaves them', async () => {
    using scratch = makeScratch()
    scratch.write(inTree(sampleFiles()))
    const image = await makeImage(scratch, ['-R'])
    const whole = readFileSync(image)
    scratch.write({ 'image.iso': Buffer.concat([whole, Buffer.alloc(150 * 2048)]) })
    expect(Object.keys(await readVolumes(image))).toEqual([VOLUME])
  })

  test('whose padding alone is missing', async () => {
    using scratch = makeScratch()
    scratch.write(inTree(sampleFiles()))
    const image = await makeImage(scratch, ['-R', '-pad'])
    const whole = readFileSync(image)
    scratch.write({ 'image.iso': whole.subarray(0, -150 * 2048) })
    expect(Object.keys(await readVolumes(image))).toEqual([VOLUME])
  })
})

describe('refuses what xorriso writes', () => {
  test.each<[string, (tree: string) => void]>([
    ['symbolic links', (tree) => void execFileSync('ln', ['-s', '/etc/passwd', join(tree, 'a')])],
    ['links to directories', (tree) => void execFileSync('ln', ['-s', '/etc', join(tree, 'a')])],
    ['dangling links', (tree) => void execFileSync('ln', ['-s', 'nowhere', join(tree, 'a')])],
    ['FIFOs', (tree) => void execFileSync('mkfifo', [join(tree, 'a')])],
    ['a double of the sums', (tree) => linkSync(join(tree, 'SHA256SUMS'), join(tree, 'Sha256sums'))],
  ])('of %s', async (_what, spoil) => {
    using scratch = makeScratch()
    scratch.write(inTree(sampleFiles()))
    spoil(join(scratch.path, 'tree', VOLUME))
    await expect(readVolumes(await makeImage(scratch, ['-R']))).rejects.toMatchObject({
      code: 'FILE_UNEXPECTED',
    })
  })

  test('cut at any sector', async () => {
    using scratch = makeScratch('/dev/shm')
    scratch.write(inTree({ [`${VOLUME}/volume.json`]: '{}', [`${VOLUME}/a`]: Buffer.alloc(9000, 'x') }))
    const image = await makeImage(scratch, ['-R', '-no-pad'])
    const whole = readFileSync(image)
    let cuts = 0
    for (let size = 0; size < whole.length; size += 2048) {
      scratch.write({ 'medium/cut.iso': whole.subarray(0, size) })
      await expect(readVolumes(join(scratch.path, 'medium')), `${size}`).rejects.toMatchObject({
        code: 'VOLUME_INVALID',
      })
      cuts += 1
    }
    expect(cuts).toBeGreaterThan(20)
  })
})

test('whatever bytes change, an image is read or refused, soon and with a code', async () => {
  using scratch = makeScratch('/dev/shm')
  scratch.write(inTree(sampleFiles()))
  mkdirSync(join(scratch.path, 'tree', VOLUME, 'none'))
  const image = await makeImage(scratch, ['-R', '-no-pad'])
  const whole = readFileSync(image)
  // Descriptors and directories: what comes behind them is data.
  const head = Math.min(whole.length, 64 * 2048)
  const place = fc.oneof(
    fc.integer({ min: 16 * 2048, max: head - 1 }),
    fc.integer({ min: 16 * 2048, max: 16 * 2048 + 200 }),
  )
  const change = fc.tuple(place, fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 2, 0x80, 0xff)))
  let refused = 0
  const before = new Set(readdirSync(scratch.path, { recursive: true, encoding: 'utf8' }))
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 12 }), async (changes) => {
      const bytes = Buffer.from(whole)
      for (const [at, byte] of changes) bytes[at] = byte
      scratch.write({ 'image.iso': bytes })
      const started = performance.now()
      const opened = await openImage(image)
      await listImage(opened).catch((error: unknown) => {
        expect(error).toBeInstanceOf(CarryallError)
        expect((error as CarryallError).code).toMatch(/^(?:VOLUME_INVALID|FILE_UNEXPECTED|PATH_UNSAFE)$/)
        refused += 1
      })
      await opened.close()
      expect(performance.now() - started).toBeLessThan(2000)
    }),
    { numRuns: 500 },
  )
  expect(refused).toBeGreaterThan(100)
  expect(new Set(readdirSync(scratch.path, { recursive: true, encoding: 'utf8' }))).toEqual(before)
})
