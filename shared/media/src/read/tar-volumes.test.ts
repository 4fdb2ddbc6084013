import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { tarHeader } from '@carryall/archive'
import { describe, expect, test } from 'vitest'
import { collectFile } from './collect-file.ts'
import { openVolumes } from './open-volumes.ts'
import {
  allVolumes,
  makeScratch,
  readVolumes,
  sampleFiles,
  type Scratch,
  sumsOf,
  VOLUME,
} from './testing/scratch.ts'

const SECOND = 'carryall-0a1b2c3d-002'
const END = Buffer.alloc(1024)

/** Names that fit into a plain header of any tar. */
const plainFiles = (volume = VOLUME) =>
  Object.fromEntries(Object.entries(sampleFiles(volume)).filter(([path]) => Buffer.byteLength(path) < 90))

function entry(name: string, data: string | Buffer = 'data'): Buffer {
  const bytes = Buffer.from(data)
  return Buffer.concat([
    tarHeader({ name, size: bytes.length }),
    bytes,
    Buffer.alloc((512 - (bytes.length % 512)) % 512),
  ])
}

/** An entry whose header is changed, with a checksum that is right again. */
function altered(name: string, change: (header: Buffer) => void): Buffer {
  const bytes = entry(name, '')
  change(bytes)
  bytes.fill(' ', 148, 156)
  const sum = bytes.reduce((total, byte) => total + byte, 0)
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return bytes
}

const link = (name: string, target: string) =>
  altered(name, (header) => {
    header.write('2', 156)
    header.write(target, 157)
  })
const directory = (name: string) => altered(name, (header) => void header.write('5', 156))
const stream = (...parts: readonly Buffer[]) =>
  Readable.from([Buffer.concat([...parts, END])], { objectMode: false })

/** What a program writes on stdout, as it comes. */
function piped(program: string, ...args: readonly string[]) {
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8' },
  })
  return { stdout: child.stdout, exit: once(child, 'close').then(([code]) => code as number | null) }
}

describe('reads what comes from', () => {
  const all = [
    ['GNU tar, pax', 'tar', ['--format=pax']],
    ['GNU tar, posix with all times', 'tar', ['--format=posix', '--pax-option=exthdr.name=%d/%f']],
    ['bsdtar, its own choice', 'bsdtar', ['--no-xattrs']],
    ['bsdtar, pax', 'bsdtar', ['--format=pax']],
  ] as const
  const plain = [
    ['GNU tar, its own choice', 'tar', []],
    ['GNU tar, gnu', 'tar', ['--format=gnu']],
    ['GNU tar, old gnu', 'tar', ['--format=oldgnu']],
    ['GNU tar, ustar', 'tar', ['--format=ustar']],
    ['GNU tar, in records of 1 MiB', 'tar', ['-b', '2048']],
    ['bsdtar, gnutar', 'bsdtar', ['--format=gnutar']],
    ['bsdtar, ustar', 'bsdtar', ['--format=ustar']],
  ] as const
  const forms = [
    ['the directory', (scratch: Scratch) => ['-C', scratch.path, VOLUME]],
    ['its parent', (scratch: Scratch) => ['-C', scratch.path, '.']],
    ['its absolute path', (scratch: Scratch) => ['-P', '-C', '/', scratch.path.slice(1)]],
  ] as const

  test.each(
    [
      ...all.map((one) => [...one, sampleFiles()] as const),
      ...plain.map((one) => [...one, plainFiles()] as const),
    ].flatMap(([what, program, flags, files]) =>
      forms.map(([form, operands]) => [what, form, program, flags, files, operands] as const),
    ),
  )('%s, of %s', async (_what, _form, program, flags, files, operands) => {
    using scratch = makeScratch()
    scratch.write({ ...files, 'other.txt': 'passed over' })
    const { stdout, exit } = piped(program, ...flags, '-cf', '-', ...operands(scratch))
    const found = await readVolumes(stdout)
    expect(await exit).toBe(0)
    expect(Object.keys(found)).toEqual([VOLUME])
    expect(found[VOLUME]!.toSorted()).toEqual((await sumsOf(join(scratch.path, VOLUME))).toSorted())
  })

  test('GNU tar, of a file of more than 8 GiB', { timeout: 60_000 }, async () => {
    using scratch = makeScratch()
    const size = 8 * 1024 ** 3 + 1
    scratch.write({ [`${VOLUME}/large`]: '' })
    truncateSync(join(scratch.path, VOLUME, 'large'), size)
    const { stdout, exit } = piped('tar', '-cf', '-', '-C', scratch.path, VOLUME)
    for await (const volume of openVolumes(stdout)) {
      for await (const file of volume.files()) {
        expect(file).toMatchObject({ path: 'large', size })
        stdout.destroy()
        break
      }
      break
    }
    expect(await exit).not.toBe(0)
  })

  test.each([
    ['GNU tar', 'tar', [SECOND, VOLUME]],
    ['bsdtar', 'bsdtar', [SECOND, VOLUME]],
    ['GNU tar, all in a directory', 'tar', ['.']],
    ['bsdtar, all in a directory', 'bsdtar', ['.']],
  ])('%s, of several volumes', async (_what, program, operands) => {
    using scratch = makeScratch()
    scratch.write({ ...plainFiles(), ...plainFiles(SECOND), 'a.txt': 'other', 'music/song.mp3': 'other' })
    const { stdout } = piped(program, '-cf', '-', '-C', scratch.path, ...operands)
    const found = await readVolumes(stdout)
    expect(Object.keys(found).toSorted()).toEqual([VOLUME, SECOND])
    for (const name of [SECOND, VOLUME])
      expect(found[name]!.toSorted()).toEqual((await sumsOf(join(scratch.path, name))).toSorted())
  })
})

describe('passes over', () => {
  const two = () =>
    stream(
      entry(`${SECOND}/a`, '1'),
      entry('between/x'),
      entry(`m/${VOLUME}/b/c`, '2'),
      entry(`m/${VOLUME}/d`, '3'),
    )

  test('what is outside of volumes', async () => {
    const found = await readVolumes(two())
    expect(Object.entries(found).map(([name, lines]) => [name, lines.map((line) => line.slice(66))])).toEqual(
      [
        [SECOND, ['a']],
        [VOLUME, ['b/c', 'd']],
      ],
    )
  })

  test('volumes that nobody reads', async () => {
    expect((await allVolumes(two())).map(({ name, replayable }) => ({ name, replayable }))).toEqual([
      { name: SECOND, replayable: false },
      { name: VOLUME, replayable: false },
    ])
  })

  test('the rest of a volume that somebody stops to read', async () => {
    const names: string[] = []
    for await (const volume of openVolumes(
      stream(entry(`${VOLUME}/a`), entry(`${VOLUME}/b`), entry(`${SECOND}/c`)),
    )) {
      names.push(volume.name)
      for await (const file of volume.files()) {
        expect((await collectFile(file, 10)).toString()).toBe('data')
        break
      }
      expect(() => volume.files()).toThrow(RangeError)
    }
    expect(names).toEqual([VOLUME, SECOND])
  })
})

describe('refuses', () => {
  test.each<[string, string, Buffer[]]>([
    ['no volume', 'VOLUME_INVALID', [entry('SHA256SUMS'), entry('volume.json')]],
    ['nothing', 'VOLUME_INVALID', []],
    ['a file that is named as a volume', 'VOLUME_INVALID', [entry(VOLUME)]],
    [
      'a volume in two stretches',
      'VOLUME_INVALID',
      [entry(`${VOLUME}/a`), entry(`${SECOND}/a`), entry(`${VOLUME}/b`)],
    ],
    [
      'a volume in two stretches around another file',
      'VOLUME_INVALID',
      [entry(`${VOLUME}/a`), entry('x'), entry(`${VOLUME}/b`)],
    ],
    ['a volume that is 65 deep', 'VOLUME_INVALID', [entry(`${VOLUME}/${'d/'.repeat(64)}a`)]],
    [
      'a double of the sums',
      'FILE_UNEXPECTED',
      [entry(`${VOLUME}/SHA256SUMS`), entry(`${VOLUME}/sha256sums`)],
    ],
    [
      'a double of the description',
      'FILE_UNEXPECTED',
      [entry(`${VOLUME}/volume.json`), entry(`${VOLUME}/VOLUME.JSON`)],
    ],
    ['twins', 'ARCHIVE_MALFORMED', [entry(`${VOLUME}/\u00e4`), entry(`${VOLUME}/a\u0308`)]],
    ['a file twice', 'ARCHIVE_MALFORMED', [entry(`${VOLUME}/a`), entry(`${VOLUME}/a`)]],
    ['a link', 'ARCHIVE_ENTRY_REFUSED', [link(`${VOLUME}/a`, '/etc/passwd')]],
    ['a link outside of volumes', 'ARCHIVE_ENTRY_REFUSED', [link('a', '/etc/passwd'), entry(`${VOLUME}/a`)]],
    ['a volume that is a link', 'ARCHIVE_ENTRY_REFUSED', [link(VOLUME, '/etc'), entry(`${VOLUME}/passwd`)]],
    [
      'a directory that becomes a link',
      'ARCHIVE_ENTRY_REFUSED',
      [directory(`${VOLUME}/d`), link(`${VOLUME}/d`, '/etc')],
    ],
    [
      'a parent',
      'PATH_UNSAFE',
      [altered(`${VOLUME}/aa/bb`, (header) => void header.write(`${VOLUME}/../bb`, 0))],
    ],
    [
      'an absolute path',
      'PATH_UNSAFE',
      [altered(`a${VOLUME}/a`, (header) => void header.write(`/${VOLUME}/a`, 0))],
    ],
    [
      'a backslash',
      'PATH_UNSAFE',
      [altered(`${VOLUME}/a/a`, (header) => void header.write(`${VOLUME}/a\\a`, 0))],
    ],
    ['another archive behind it', 'ARCHIVE_MALFORMED', [entry(`${VOLUME}/a`), END, entry(`${SECOND}/a`)]],
    [
      'a stream that is cut',
      'ARCHIVE_MALFORMED',
      [entry(`${VOLUME}/a`, Buffer.alloc(2000)).subarray(0, 1000)],
    ],
    [
      'a compressed stream',
      'ARCHIVE_MALFORMED',
      [Buffer.from('1f8b08000000000000'.padEnd(3000, 'ab'), 'hex')],
    ],
  ])('%s', async (_what, code, parts) => {
    await expect(readVolumes(stream(...parts))).rejects.toMatchObject({ code })
  })
})

test('a consumer that stops leaves the stream to its owner', async () => {
  const source = stream(entry(`${VOLUME}/a`), entry(`${VOLUME}/b`))
  for await (const volume of openVolumes(source)) {
    await volume.close()
    break
  }
  expect(source.destroyed).toBe(false)
  source.resume()
  await once(source, 'end')
})
