import { execFileSync } from 'node:child_process'
import { rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { collectFile } from './collect-file.ts'
import { openVolumes } from './open-volumes.ts'
import { inTree, makeImage } from './testing/make-image.ts'
import {
  allVolumes,
  makeScratch,
  output,
  readVolumes,
  sampleFiles,
  type Scratch,
  sumsOf,
  VOLUME,
} from './testing/scratch.ts'

const SECOND = 'carryall-0a1b2c3d-002'

async function namesOf(operand: string): Promise<string[]> {
  const volumes = await allVolumes(operand)
  for (const volume of volumes) await volume.close()
  return volumes.map(({ name }) => name)
}

describe('finds the volumes of', () => {
  test('a directory that is one', async () => {
    using scratch = makeScratch()
    scratch.write(sampleFiles())
    const path = join(scratch.path, VOLUME)
    for (const operand of [path, `${path}/`]) {
      const found = await readVolumes(operand)
      expect(found[VOLUME]!.toSorted()).toEqual((await sumsOf(path)).toSorted())
      expect(found[VOLUME]!.slice(0, 4).map((line) => line.slice(66))).toEqual([
        'SHA256SUMS',
        `SHA256SUMS.${'A1'.repeat(20)}.asc`,
        'volume.json',
        'edge/seq1-baseline/README',
      ])
    }
  })

  test.each(['volume.json', 'volume.json.gpg', 'volume.json.age'])(
    'a directory with %s, of any name',
    async (file) => {
      using scratch = makeScratch()
      scratch.write({ [`renamed/${file}`]: '{}' })
      expect(await namesOf(join(scratch.path, 'renamed'))).toEqual(['renamed'])
      expect(await namesOf(scratch.path)).toEqual(['renamed'])
    },
  )

  test("a courier's medium, whatever else is on it", async () => {
    using scratch = makeScratch()
    scratch.write(inTree({ 'carryall-0a1b2c3d-003/volume.json': '{}' }))
    await makeImage(scratch, ['-R'])
    rmSync(join(scratch.path, 'tree'), { recursive: true })
    scratch.write({
      ...sampleFiles(SECOND),
      ...sampleFiles(),
      'receipt.json': '{}',
      'System Volume Information/IndexerVolumeGuid': 'x',
      '.carryall-partial-0a1b2c3d-004/volume.json.tmp': '{}',
      'music/song.mp3': 'x',
      'carryall-0a1b2c3d-009': 'a file of such a name',
    })
    writeFileSync(Buffer.concat([Buffer.from(`${scratch.path}/`), Buffer.from([0xff])]), 'x')
    symlinkSync('/etc', join(scratch.path, 'link'))
    execFileSync('mkfifo', [join(scratch.path, 'fifo')])
    expect(await namesOf(scratch.path)).toEqual([VOLUME, SECOND, 'carryall-0a1b2c3d-003'])
  })

  test('a medium that is named by a link', async () => {
    using scratch = makeScratch()
    scratch.write({ ...sampleFiles() })
    symlinkSync(join(scratch.path, VOLUME), join(scratch.path, 'link'))
    symlinkSync(scratch.path, join(scratch.path, 'medium'))
    expect(await namesOf(join(scratch.path, 'link'))).toEqual(['link'])
    expect(await namesOf(join(scratch.path, 'medium'))).toEqual([VOLUME])
  })

  test('a directory that lost its description, and says so by its name', async () => {
    using scratch = makeScratch()
    scratch.write({ [`${VOLUME}/SHA256SUMS`]: '' })
    expect(await namesOf(scratch.path)).toEqual([VOLUME])
    expect(await namesOf(join(scratch.path, VOLUME))).toEqual([VOLUME])
  })

  test('an image of any name, and not of one that holds none on a medium with others', async () => {
    using scratch = makeScratch()
    scratch.write(inTree({ 'pool/package.deb': 'x', SHA256SUMS: 'x' }))
    const image = await makeImage(scratch, ['-R'])
    await expect(allVolumes(image)).rejects.toMatchObject({ code: 'VOLUME_INVALID' })
    await expect(allVolumes(scratch.path)).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' })
    scratch.write(sampleFiles())
    expect(await namesOf(scratch.path)).toEqual([VOLUME])
    await output(
      'xorriso',
      '-as',
      'mkisofs',
      '-quiet',
      '-R',
      '-o',
      join(scratch.path, 'disc.img'),
      join(scratch.path, VOLUME),
    )
    expect(await namesOf(join(scratch.path, 'disc.img'))).toEqual(['disc.img'])
  })

  test('a tar file', async () => {
    using scratch = makeScratch()
    scratch.write(sampleFiles())
    const path = join(scratch.path, 'volume.tar')
    await output('tar', '--format=pax', '-cf', path, '-C', scratch.path, VOLUME)
    const found = await readVolumes(path)
    expect(found[VOLUME]!.toSorted()).toEqual((await sumsOf(join(scratch.path, VOLUME))).toSorted())
  })
})

describe('refuses', () => {
  test.each<[string, string, (scratch: Scratch) => string]>([
    ['what is not there', 'INPUT_NOT_FOUND', ({ path }) => join(path, 'none')],
    [
      'what is below a file',
      'INPUT_NOT_FOUND',
      (scratch) => (scratch.write({ a: '' }), join(scratch.path, 'a/b')),
    ],
    [
      'a link to nothing',
      'INPUT_NOT_FOUND',
      ({ path }) => (symlinkSync('none', join(path, 'a')), join(path, 'a')),
    ],
    ['an empty directory', 'INPUT_NOT_FOUND', ({ path }) => path],
    [
      'a directory of other files',
      'INPUT_NOT_FOUND',
      (scratch) => (scratch.write({ 'a/b': '' }), scratch.path),
    ],
    ['an empty file', 'VOLUME_INVALID', (scratch) => (scratch.write({ a: '' }), join(scratch.path, 'a'))],
    [
      'a text',
      'VOLUME_INVALID',
      (scratch) => (scratch.write({ a: 'x'.repeat(99_999) }), join(scratch.path, 'a')),
    ],
    [
      'a document',
      'VOLUME_INVALID',
      (scratch) => (scratch.write({ 'volume.json': '{}' }), join(scratch.path, 'volume.json')),
    ],
    ['a FIFO', 'VOLUME_INVALID', ({ path }) => (execFileSync('mkfifo', [join(path, 'a')]), join(path, 'a'))],
    ['a device of characters', 'VOLUME_INVALID', () => '/dev/zero'],
  ])('%s', async (_what, code, make) => {
    using scratch = makeScratch()
    await expect(allVolumes(make(scratch))).rejects.toMatchObject({
      code,
      details: { hint: expect.any(String) as string },
    })
  })

  test('to begin when it is told to stop', async () => {
    using scratch = makeScratch()
    scratch.write(sampleFiles())
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(openVolumes(scratch.path, { signal }).next()).rejects.toThrow('enough')
    const stop = new AbortController()
    for await (const volume of openVolumes(scratch.path, { signal: stop.signal })) {
      stop.abort(new Error('enough'))
      await expect(volume.files()[Symbol.asyncIterator]().next()).rejects.toThrow('enough')
    }
  })
})

test('a file is read in chunks of at most 1 MiB, until the signal', async () => {
  using scratch = makeScratch()
  scratch.write(sampleFiles())
  const stop = new AbortController()
  for await (const volume of openVolumes(join(scratch.path, VOLUME))) {
    for await (const file of volume.files()) {
      if (!file.path.endsWith('.tar')) continue
      const sizes: number[] = []
      for await (const chunk of file.chunks()) sizes.push(chunk.length)
      expect(sizes).toEqual([1024 ** 2, 1024 ** 2, 1024 ** 2, 1])
      const chunks = file.chunks(stop.signal)[Symbol.asyncIterator]()
      await chunks.next()
      stop.abort(new Error('enough'))
      await expect(chunks.next()).rejects.toThrow('enough')
    }
  }
})

test('small files are taken whole, and only small ones', async () => {
  using scratch = makeScratch()
  scratch.write({ [`${VOLUME}/volume.json`]: '{"a":1}', [`${VOLUME}/empty`]: '' })
  for await (const volume of openVolumes(join(scratch.path, VOLUME))) {
    for await (const file of volume.files()) {
      expect((await collectFile(file, 7)).toString()).toBe(file.path === 'empty' ? '' : '{"a":1}')
      if (file.size > 0) await expect(collectFile(file, 6)).rejects.toMatchObject({ code: 'VOLUME_INVALID' })
    }
  }
})
