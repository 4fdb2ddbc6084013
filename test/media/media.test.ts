import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { runInGuest } from './guest.ts'
import { makeFat32, makeIso, makeUdf } from './images.ts'
import type { Report } from './probe.ts'

const MIB = 2 ** 20
const MSDOS_SUPER_MAGIC = 0x4d44
const UDF_SUPER_MAGIC = 0x15013346
const ISOFS_SUPER_MAGIC = 0x9660

const WRITABLE = {
  write: 'ok',
  fsync: 'ok',
  rename: 'ok',
  'fsync of a directory': 'ok',
  mkdir: 'ok',
  'rename of a directory': 'ok',
  'trailing dot': 'ok',
  'big file': 'ok',
}

let scratch: Scratch
let reports: Record<'vfat' | 'udf' | 'iso9660', Report>

beforeAll(async () => {
  scratch = await makeScratch()
  const [vfat, udf, iso, tree] = ['stick.img', 'disk.img', 'cd.iso', 'tree'].map((name) => scratch.at(name))
  await mkdir(tree!)
  await writeFile(join(tree!, 'file'), 'carried\n')
  await writeFile(join(tree!, 'a long name with blanks and a:'), '')
  await Promise.all([makeFat32(vfat!, 300 * MIB), makeUdf(udf!, 200 * MIB), makeIso(iso!, tree!)])
  const { exitCode, stdout, stderr } = await runInGuest({
    disks: [
      { file: vfat!, type: 'vfat', at: '/media/vfat' },
      { file: udf!, type: 'udf', at: '/media/udf' },
      { file: iso!, type: 'iso9660', at: '/media/iso9660', readOnly: true },
    ],
    env: { PROBE: join(import.meta.dirname, 'probe.ts') },
    script: 'for at in vfat udf iso9660; do node "$PROBE" "/media/$at" || exit; done',
    timeoutMs: 300_000,
  })
  if (exitCode !== 0) throw new Error(`The script ended with ${exitCode}: ${stderr}`)
  const [first, second, third] = stdout.split('\n').map((line) => line && (JSON.parse(line) as Report))
  reports = { vfat: first as Report, udf: second as Report, iso9660: third as Report }
})
afterAll(() => scratch[Symbol.asyncDispose]())

test('a FAT32 stick', () => {
  const { type, blockBytes, blocks } = reports.vfat
  expect(type).toBe(MSDOS_SUPER_MAGIC)
  expect([blockBytes, Math.floor((blocks * blockBytes) / MIB)]).toEqual([4096, 299])
  expect(reports.vfat).toMatchObject({
    text: 'carried\n',
    // What asked for a final dot got a name without.
    names: ['dot', 'file', 'moved'],
    calls: {
      ...WRITABLE,
      link: 'EPERM',
      symlink: 'EPERM',
      'other case': 'ok',
      colon: 'EINVAL',
      'name of 255 characters': 'ok',
      'truncate to 4 GiB': 'EFBIG',
      'write at 4 GiB - 1': 'EFBIG',
    },
  })
})

test('a UDF disk', () => {
  const { type, blockBytes, blocks } = reports.udf
  expect(type).toBe(UDF_SUPER_MAGIC)
  expect([blockBytes, Math.floor((blocks * blockBytes) / MIB)]).toEqual([512, 199])
  expect(reports.udf).toMatchObject({
    text: 'carried\n',
    names: ['a:b', 'dot.', 'file', 'link', 'moved', 'symlink'],
    calls: {
      ...WRITABLE,
      link: 'ok',
      symlink: 'ok',
      'other case': 'ENOENT',
      colon: 'ok',
      'name of 255 characters': 'ENAMETOOLONG',
      'truncate to 4 GiB': 'ok',
      'write at 4 GiB - 1': 'ok',
    },
  })
})

test('an ISO 9660', () => {
  expect(reports.iso9660).toMatchObject({
    type: ISOFS_SUPER_MAGIC,
    blockBytes: 2048,
    text: 'carried\n',
    names: ['a long name with blanks and a:', 'file'],
    calls: {
      write: 'EROFS',
      rename: 'EROFS',
      mkdir: 'EROFS',
      'fsync of a directory': 'EINVAL',
      'other case': 'ENOENT',
    },
  })
})
