import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { collectFile } from './collect-file.ts'
import { directoryVolume } from './directory-volume.ts'
import { openVolumes } from './open-volumes.ts'
import { makeScratch, output, readVolumes, sampleFiles, type Scratch, VOLUME } from './testing/scratch.ts'
import type { VolumeFile } from './volume-source.ts'

const UNEXPECTED = 'FILE_UNEXPECTED'
const fifo = (path: string) => void execFileSync('mkfifo', [path])
const bytesName = (directory: string, ...bytes: readonly number[]) =>
  Buffer.concat([Buffer.from(`${directory}/`), Buffer.from(bytes)])

type Case = readonly [
  what: string,
  code: string,
  spoil: (volume: string, scratch: Scratch) => void | Promise<void>,
]

/** Each spoils a volume that is otherwise right. */
const CASES: readonly Case[] = [
  ['a link to a file outside', UNEXPECTED, (volume) => symlinkSync('/etc/passwd', join(volume, 'a'))],
  ['a link to a file inside', UNEXPECTED, (volume) => symlinkSync('SHA256SUMS', join(volume, 'a'))],
  ['a link to a directory', UNEXPECTED, (volume) => symlinkSync('/etc', join(volume, 'a'))],
  ['a link to nothing', UNEXPECTED, (volume) => symlinkSync('none', join(volume, 'a'))],
  ['a link to itself', UNEXPECTED, (volume) => symlinkSync('a', join(volume, 'a'))],
  ['a link to the volume', UNEXPECTED, (volume) => symlinkSync('.', join(volume, 'edge/a'))],
  ['a link to the parent', UNEXPECTED, (volume) => symlinkSync('..', join(volume, 'a'))],
  [
    'sums that are a link',
    UNEXPECTED,
    (volume) => replace(join(volume, 'SHA256SUMS'), (path) => symlinkSync('/etc/passwd', path)),
  ],
  [
    'a description that is a link',
    UNEXPECTED,
    (volume) => replace(join(volume, 'volume.json'), (path) => symlinkSync('/dev/zero', path)),
  ],
  [
    'a directory that is a link',
    UNEXPECTED,
    (volume) => replace(join(volume, 'edge'), (path) => symlinkSync('/etc', path)),
  ],
  [
    'a volume that is a link',
    UNEXPECTED,
    (volume) => (renameSync(volume, `${volume}.moved`), symlinkSync(`${volume}.moved`, volume)),
  ],
  [
    'an image that is a link',
    UNEXPECTED,
    (_volume, { path }) => symlinkSync('/dev/zero', join(path, 'a.iso')),
  ],
  ['an image that is a FIFO', UNEXPECTED, (_volume, { path }) => fifo(join(path, 'A.ISO'))],
  ['a volume that is a FIFO', UNEXPECTED, (_volume, { path }) => fifo(join(path, 'carryall-0a1b2c3d-002'))],
  ['a FIFO', UNEXPECTED, (volume) => fifo(join(volume, 'a'))],
  ['a FIFO in the place of a file', UNEXPECTED, (volume) => replace(join(volume, 'volume.json'), fifo)],
  [
    'a double of the sums',
    UNEXPECTED,
    (volume) => linkSync(join(volume, 'SHA256SUMS'), join(volume, 'sha256sums')),
  ],
  ['a double of the description', UNEXPECTED, (volume) => writeFileSync(join(volume, 'Volume.JSON'), '{}')],
  [
    'a double of a signature',
    UNEXPECTED,
    (volume) => writeFileSync(join(volume, `sha256sums.${'a1'.repeat(20)}.asc`), ''),
  ],
  [
    'names that are one by normal form',
    'VOLUME_INVALID',
    (volume) => (writeFileSync(join(volume, '\u00e4'), ''), writeFileSync(join(volume, 'a\u0308'), '')),
  ],
  [
    'directories that are one by normal form',
    'VOLUME_INVALID',
    (volume) => (mkdirSync(join(volume, '\u00e4')), mkdirSync(join(volume, 'a\u0308'))),
  ],
  [
    'signs that are one letter',
    'VOLUME_INVALID',
    (volume) => (writeFileSync(join(volume, '\u212b'), ''), writeFileSync(join(volume, '\u00c5'), '')),
  ],
  [
    '65 directories',
    'VOLUME_INVALID',
    (volume) => void mkdirSync(join(volume, 'd/'.repeat(65)), { recursive: true }),
  ],
  [
    '500 directories',
    'VOLUME_INVALID',
    (volume) => void mkdirSync(join(volume, 'd/'.repeat(500)), { recursive: true }),
  ],
  ['an image of nothing', 'VOLUME_INVALID', (_volume, scratch) => scratch.write({ 'a.iso': '' })],
  [
    'an image of zeros',
    'VOLUME_INVALID',
    (_volume, { path }) => (writeFileSync(join(path, 'a.iso'), ''), truncateSync(join(path, 'a.iso'), 1e12)),
  ],
  ['a name of other bytes', 'PATH_UNSAFE', (volume) => writeFileSync(bytesName(volume, 0x61, 0xff), '')],
  ['a directory of other bytes', 'PATH_UNSAFE', (volume) => mkdirSync(bytesName(volume, 0xc0, 0xaf))],
  ['a surrogate', 'PATH_UNSAFE', (volume) => writeFileSync(bytesName(volume, 0xed, 0xa0, 0x80), '')],
  ['a Latin-1 name', 'PATH_UNSAFE', (volume) => writeFileSync(bytesName(volume, 0xe4), '')],
  ['a backslash', 'PATH_UNSAFE', (volume) => writeFileSync(join(volume, '..\\a'), '')],
  ['a newline', 'PATH_UNSAFE', (volume) => writeFileSync(join(volume, 'a\nb'), '')],
  ['an escape sequence', 'PATH_UNSAFE', (volume) => writeFileSync(join(volume, '\x1b[2J'), '')],
  ['a C1 control character', 'PATH_UNSAFE', (volume) => writeFileSync(join(volume, 'a\u009bb'), '')],
]

function replace(path: string, make: (path: string) => void): void {
  rmSync(path, { recursive: true })
  make(path)
}

describe('refuses a directory with', () => {
  test.each(CASES)('%s', async (_what, code, spoil) => {
    using scratch = makeScratch()
    scratch.write(sampleFiles())
    await spoil(join(scratch.path, VOLUME), scratch)
    const before = await listing(scratch)
    await expect(readVolumes(scratch.path)).rejects.toMatchObject({ code })
    expect(await listing(scratch)).toBe(before)
  })

  test('a socket', async () => {
    using scratch = makeScratch()
    scratch.write(sampleFiles())
    const server = createServer()
    await new Promise<void>((resolve) => void server.listen(join(scratch.path, VOLUME, 's'), resolve))
    await expect(readVolumes(scratch.path)).rejects.toMatchObject({ code: UNEXPECTED })
    await new Promise((resolve) => void server.close(resolve))
  })

  test('devices', async () => {
    const files = directoryVolume('/dev/pts').files()[Symbol.asyncIterator]()
    await expect(files.next()).rejects.toMatchObject({ code: UNEXPECTED })
  })

  test.each([
    ['a file', `${VOLUME}/volume.json`],
    ['a directory', `${VOLUME}/edge`],
    ['all of it', VOLUME],
  ])('%s that may not be read', async (_what, path) => {
    using scratch = makeScratch()
    scratch.write(sampleFiles())
    chmodSync(scratch.path, 0o755)
    chmodSync(join(scratch.path, path), 0)
    const user = process.geteuid!()
    // To root nothing is forbidden.
    if (user === 0) process.seteuid!(65_534)
    try {
      await expect(readVolumes(scratch.path)).rejects.toMatchObject({ code: 'PERMISSION_DENIED' })
    } finally {
      process.seteuid!(user)
      chmodSync(join(scratch.path, path), 0o755)
    }
  })
})

test('content that differs in the case of letters alone is two files', async () => {
  using scratch = makeScratch()
  scratch.write({ ...sampleFiles(), [`${VOLUME}/edge/sha256sums`]: 'x', [`${VOLUME}/edge/SHA256SUMS`]: 'y' })
  const paths = (await readVolumes(scratch.path))[VOLUME]!.map((line) => line.slice(66))
  expect(paths).toEqual(expect.arrayContaining(['edge/sha256sums', 'edge/SHA256SUMS']))
})

test('a huge description costs nothing', async () => {
  using scratch = makeScratch()
  scratch.write({ [`${VOLUME}/volume.json`]: '' })
  truncateSync(join(scratch.path, VOLUME, 'volume.json'), 1e12)
  for await (const volume of openVolumes(scratch.path)) {
    for await (const file of volume.files())
      await expect(collectFile(file, 1024 ** 2)).rejects.toMatchObject({ code: 'VOLUME_INVALID' })
  }
})

describe('what is changed between the list and the reading is noticed:', () => {
  test.each<[string, string, (path: string) => void]>([
    ['cut', 'SIZE_MISMATCH', (path) => truncateSync(path, 5)],
    ['grown', 'SIZE_MISMATCH', (path) => writeFileSync(path, 'x', { flag: 'a' })],
    ['gone', 'FILE_MISSING', (path) => rmSync(path)],
    ['a link', UNEXPECTED, (path) => replace(path, () => symlinkSync('/etc/passwd', path))],
    ['a FIFO', UNEXPECTED, (path) => replace(path, fifo)],
    ['a directory', UNEXPECTED, (path) => replace(path, () => mkdirSync(path))],
  ])('%s', async (_what, code, change) => {
    using scratch = makeScratch()
    scratch.write({ [`${VOLUME}/volume.json`]: '{}', [`${VOLUME}/a`]: 'x'.repeat(10) })
    const files: VolumeFile[] = []
    for await (const volume of openVolumes(scratch.path))
      for await (const file of volume.files()) files.push(file)
    change(join(scratch.path, VOLUME, 'a'))
    await expect(collectFile(files[1]!, 100)).rejects.toMatchObject({ code })
  })
})

/** Everything below the scratch with kind, size, links and times of writing. */
function listing(scratch: Scratch): Promise<string> {
  return output('find', scratch.path, '-printf', '%P %y %s %l %T@ %C@\n')
}
