import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { CarryallError } from '@carryall/errors'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { END, paxHeader, paxRecord, rawEntry, rawHeader } from './testing/raw-tar.ts'
import { readBoth } from './testing/read-both.ts'
import { entriesOf, makeScratch, output } from './testing/scratch.ts'
import { walkArchive } from './walk-archive.ts'

const longPath = paxRecord('path', 'named/by/pax')

describe('accepts', () => {
  test('any owner, mode and time, empty prefixes, directories, and a comment for all', async () => {
    const archive = [
      paxHeader([paxRecord('comment', 'a'.repeat(40))], { type: 'g', name: 'pax_global_header' }),
      rawEntry({ type: '5', name: 'working-dir/' }),
      rawEntry({ name: 'isc_2024-08-18T14:30:00Z' }, 'kind'),
      rawEntry({ type: '\0', prefix: 'docker/registry', name: 'v2' }, 'x'.repeat(513)),
      paxHeader([
        paxRecord('mtime', '1.5'),
        paxRecord('uid', '3000000'),
        paxRecord('uname', 'größe'),
        paxRecord('SCHILY.xattr.user.a', 'b\n\0c'),
        longPath,
      ]),
      rawEntry({ name: 'stand-in' }, 'y'),
      END,
      Buffer.alloc(8192),
    ]
    expect(await readBoth(...archive)).toEqual([
      { type: 'directory', name: 'working-dir', size: 0, header: 1024, offset: 1536 },
      { type: 'file', name: 'isc_2024-08-18T14:30:00Z', size: 4, header: 1536, offset: 2048 },
      { type: 'file', name: 'docker/registry/v2', size: 513, header: 2560, offset: 3072 },
      { type: 'file', name: 'named/by/pax', size: 1, header: 4096, offset: 5632 },
    ])
  })

  test.each(['12345', '0', '007', '1e5', '0x10', 'NaN', 'Infinity', '-1', '__proto__', 'constructor'])(
    'the PAX path %s as text',
    async (name) => {
      expect(await readBoth(paxHeader([paxRecord('path', name)]), rawEntry({}, 'data'), END)).toMatchObject([
        { name, size: 4 },
      ])
    },
  )

  test('a PAX size that agrees', async () => {
    expect(await readBoth(paxHeader([paxRecord('size', '4')]), rawEntry({}, 'data'), END)).toMatchObject([
      { size: 4 },
    ])
  })

  test.each([
    ['GNU tar, ustar', ['tar', '--format=ustar', '-cf']],
    ['GNU tar, PAX', ['tar', '--format=posix', '-cf']],
    ['bsdtar, ustar', ['bsdtar', '--format=ustar', '-cf']],
    ['bsdtar, PAX', ['bsdtar', '--format=pax', '-cf']],
  ])('what %s writes', async (_what, [program, ...flags]) => {
    using scratch = makeScratch()
    const long = `${'deep/'.repeat(20)}${'n'.repeat(90)}`
    mkdirSync(join(scratch.path, 'tree', 'deep/'.repeat(20)), { recursive: true })
    writeFileSync(join(scratch.path, 'tree', long), 'long')
    writeFileSync(join(scratch.path, 'tree', 'a'), 'x'.repeat(70_000))
    const path = join(scratch.path, 'a.tar')
    execFileSync(program!, [...flags, path, '-C', scratch.path, 'tree'])
    const entries = await entriesOf(path)
    const listed = (await output('tar', '-tf', path)).split('\n').slice(0, -1)
    expect(entries.map(({ type, name }) => (type === 'directory' ? `${name}/` : name))).toEqual(listed)
    expect(
      entries
        .filter(({ size }) => size > 0)
        .map(({ size }) => size)
        .toSorted((a, b) => a - b),
    ).toEqual([4, 70_000])
  })
})

test.each([
  ['a symbolic link of GNU tar', 'ARCHIVE_ENTRY_REFUSED', ['--format=posix', 'link']],
  ['a hard link of GNU tar', 'ARCHIVE_ENTRY_REFUSED', ['--format=ustar', 'file', 'hard']],
  ['the GNU format', 'ARCHIVE_MALFORMED', ['--format=gnu', 'file']],
  ['the V7 format', 'ARCHIVE_MALFORMED', ['--format=v7', 'file']],
  ['a sparse file of GNU tar', 'ARCHIVE_ENTRY_REFUSED', ['--format=posix', '--sparse', 'sparse']],
  ['names with ./ of GNU tar', 'PATH_UNSAFE', ['--format=ustar', './file']],
  ['a compressed archive', 'ARCHIVE_MALFORMED', ['--format=ustar', '-z', 'file']],
])('refuses %s', async (_what, code, args) => {
  using scratch = makeScratch()
  const path = join(scratch.path, 'a.tar')
  scratch.file('file', Buffer.from('data'))
  symlinkSync('file', join(scratch.path, 'link'))
  execFileSync('ln', [join(scratch.path, 'file'), join(scratch.path, 'hard')])
  execFileSync('truncate', ['-s', '10M', join(scratch.path, 'sparse')])
  execFileSync('tar', ['-C', scratch.path, '-cf', path, ...args])
  await expect(entriesOf(path)).rejects.toMatchObject({ code })
})

test('whatever bytes change, it refuses with a code or lists what GNU tar and bsdtar list', async () => {
  using scratch = makeScratch('/dev/shm')
  const parts = [
    paxHeader([paxRecord('mtime', '1.5'), paxRecord('size', '4'), paxRecord('gid', '7'), longPath]),
    rawEntry({}, 'data'),
    rawEntry({ name: 'b', prefix: 'dir' }, 'x'.repeat(600)),
    END,
  ]
  const whole = Buffer.concat(parts)
  const headers = [0, 1024, 2048]
  let accepted = 0
  const place = fc.oneof(
    fc.nat(511),
    fc.nat(whole.length - 1),
    fc.integer({ min: 512, max: 580 }),
    fc.integer({ min: 1024, max: 1535 }),
  )
  const value = fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('01789 \0/.=\nxg5-')))
  const changes = fc.array(fc.tuple(place, value), { minLength: 1, maxLength: 3 })
  await fc.assert(
    fc.asyncProperty(changes, async (list) => {
      const bytes = Buffer.from(whole)
      for (const [at, byte] of list) bytes[at] = byte
      for (const at of headers) {
        bytes.fill(' ', at + 148, at + 156)
        const sum = bytes.subarray(at, at + 512).reduce((total, byte) => total + byte, 0)
        bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148)
      }
      const path = scratch.file('a.tar', bytes)
      const found = await entriesOf(path).catch((error: unknown) => {
        expect(error).toBeInstanceOf(CarryallError)
        return undefined
      })
      if (found === undefined) return
      accepted += 1
      const names = found.map(({ type, name }) => (type === 'directory' ? `${name}/` : name))
      const [gnu, bsd] = await Promise.all([
        output('tar', '--quoting-style=literal', '-tf', path),
        output('bsdtar', '-tf', path),
      ])
      expect(gnu.split('\n').slice(0, -1).map(normal)).toEqual(names.map(normal))
      expect(bsd.split('\n').slice(0, -1).map(normal)).toEqual(names.map(normal))
    }),
    { numRuns: 300 },
  )
  expect(accepted).toBeGreaterThan(0)
})

/** bsdtar does not show the slash of a directory whose name has none. */
function normal(name: string): string {
  return name.replace(/\/$/, '')
}

test('reads from an open file and leaves it open', async () => {
  using scratch = makeScratch()
  const path = scratch.file('a.tar', Buffer.concat([rawEntry({}, 'data'), END]))
  await using handle = await open(path)
  expect(await entriesOf(handle, { size: 2048 })).toHaveLength(1)
  await walkArchive(handle, {})
  expect((await handle.stat()).size).toBe(2048)
  await expect(entriesOf(handle, { size: 2049 })).rejects.toMatchObject({
    code: 'SIZE_MISMATCH',
    details: { actual: 2048 },
  })
  await expect(entriesOf(join(scratch.path, 'none'))).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' })
  await expect(entriesOf(scratch.path)).rejects.toMatchObject({ code: 'INPUT_REFUSED' })
  await expect(entriesOf(path, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
})

test('passes over data without reading it', async () => {
  using scratch = makeScratch()
  const path = scratch.file('a.tar', rawHeader({ size: 6 * 1024 ** 3 }))
  const end = 512 + 6 * 1024 ** 3
  execFileSync('truncate', ['-s', String(end + 1024), path])
  const started = performance.now()
  expect(await entriesOf(path)).toMatchObject([{ size: 6 * 1024 ** 3 }])
  expect(performance.now() - started).toBeLessThan(500)
})
