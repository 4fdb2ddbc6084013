import { describe, expect, test } from 'vitest'
import { FILE_SYSTEMS, type FileSystemName } from '@carryall/schemas'
import { checkNames } from './check-names.ts'
import { fileSystem } from './file-system.ts'

function refuses(name: FileSystemName, ...paths: readonly string[]): boolean {
  try {
    checkNames(paths, fileSystem(name))
    return false
  } catch (error) {
    expect(error).toMatchObject({
      code: 'MEDIA_NAME_REFUSED',
      exit: 73,
      details: { subject: { kind: 'file', name: paths.at(-1) } },
    })
    return true
  }
}

const refusing = (...paths: readonly string[]): readonly FileSystemName[] =>
  FILE_SYSTEMS.filter((name) => refuses(name, ...paths))

describe('checkNames', () => {
  test.each([
    'a:b',
    'what?',
    'a*',
    'a"b',
    'a<b',
    'a>b',
    'a|b',
    'dot.',
    'blank ',
    'dir./file',
    'aux',
    'NUL.txt',
    'com1',
    'LPT9.tar.gz',
    'lpt²',
    'CONIN$',
  ])('%j is for systems of Unix', (path) => {
    expect(refusing(path)).toEqual(['fat32', 'exfat'])
  })

  test.each([
    'auxiliary',
    'com',
    'com10',
    'a.b.c',
    ' blank',
    '.hidden',
    "it's [1] {2} #3 $4 %5 & ~",
    'é',
    '日本',
  ])('%j is for all', (path) => {
    expect(refusing(path)).toEqual([])
  })

  test('length in units or in bytes', () => {
    expect(refusing('n'.repeat(253))).toEqual([])
    expect(refusing('n'.repeat(254))).toEqual(['iso9660'])
    expect(refusing('n'.repeat(255))).toEqual(['udf', 'iso9660'])
    expect(refusing('n'.repeat(256))).toEqual(FILE_SYSTEMS)
    expect(refusing('é'.repeat(127))).toEqual(['iso9660'])
    expect(refusing('日'.repeat(85))).toEqual(['iso9660'])
    expect(refusing('日'.repeat(128))).toEqual(['ext4', 'xfs', 'btrfs', 'udf', 'iso9660', 'plain'])
  })

  test('names that are one name there', () => {
    expect(refusing('dir/Name', 'dir/name')).toEqual(['fat32', 'exfat'])
    expect(refusing('Dir/a', 'dir/b')).toEqual(['fat32', 'exfat'])
    expect(refusing('caf\u00e9', 'cafe\u0301')).toEqual(['fat32', 'exfat', 'udf', 'iso9660'])
    expect(refusing('a/Name', 'b/name')).toEqual([])
    expect(refusing('dir/a', 'dir/b', 'dir/a')).toEqual([])
  })
})
