import { mkdtemp, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { FILE_SYSTEMS, type Medium } from '@carryall/schemas'
import { mediumOfDirectory } from './medium-of-directory.ts'
import { parseMedium } from './medium.ts'

function medium(text: string, options: Parameters<typeof parseMedium>[1] = { reserveBytes: 0 }): Medium {
  return parseMedium(text, options) as Medium
}

describe('parseMedium', () => {
  test('discs have UDF, sticks exFAT, sizes none', () => {
    expect(medium('dvd')).toMatchObject({ name: 'dvd', filesystem: 'udf', cluster_bytes: 2048 })
    expect(medium('bd25')).toMatchObject({ filesystem: 'udf' })
    expect(medium('bd50').capacity_bytes).toBeGreaterThan(49.9e9)
    expect(medium('usb:64GB')).toMatchObject({ filesystem: 'exfat', cluster_bytes: 131_072 })
    expect(medium('usb:16GB')).toMatchObject({ filesystem: 'exfat', cluster_bytes: 32_768 })
    expect(medium('700MB')).toEqual({
      ...{ name: '700MB', filesystem: 'plain', capacity_bytes: 700e6, cluster_bytes: 4096 },
    })
    expect(medium('unlimited')).toEqual({ name: 'unlimited', filesystem: 'plain', cluster_bytes: 4096 })
  })

  test('what the file system takes and the reserve are not for volumes', () => {
    for (const filesystem of FILE_SYSTEMS) {
      const whole = medium('usb:64GB', { filesystem, reserveBytes: 0 })
      expect(whole.capacity_bytes).toBeLessThan(64e9)
      expect(whole.capacity_bytes).toBeGreaterThan(59e9)
      const less = medium('usb:64GB', { filesystem, reserveBytes: 1000 })
      expect(less).toEqual({ ...whole, capacity_bytes: whole.capacity_bytes! - 1000 })
    }
    expect(medium('1MB', { filesystem: 'xfs', reserveBytes: 0 }).capacity_bytes).toBe(0)
    expect(medium('8GB', { filesystem: 'ext4', reserveBytes: 0 }).max_files).toBe(488_217)
  })

  test('a directory is looked at later', () => {
    expect(parseMedium('dir:/media/usb', { reserveBytes: 0 })).toEqual({ directory: '/media/usb' })
  })

  test.each(['', 'cd', 'DVD', 'usb:', 'usb:5G', '5G', '-1GB', '0', 'dir:', '1e9'])('refuses %j', (text) => {
    expect(() => medium(text)).toThrow(expect.objectContaining({ code: 'USAGE_BAD_VALUE' }))
  })
})

describe('mediumOfDirectory', () => {
  test('what is free, less the reserve', async () => {
    const root = await mkdtemp(join(tmpdir(), 'medium-'))
    const { bavail, bsize } = await statfs(root)
    const found = await mediumOfDirectory(root, 10e6)
    await rm(root, { recursive: true })
    expect(found.name).toBe(`dir:${root}`)
    expect(found.cluster_bytes).toBe(bsize)
    const free = bavail * bsize - 10e6
    // Others write to it as well.
    expect(Math.abs(found.capacity_bytes! - free)).toBeLessThan(2e9)
  })

  test('where there is none', async () => {
    await expect(mediumOfDirectory('/no/such/place', 0)).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' })
  })
})
