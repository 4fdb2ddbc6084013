import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, open, rm, stat, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { FileSystemName, Medium } from '@carryall/schemas'
import { fileSystem } from './file-system.ts'
import { mediumOfDirectory } from './medium-of-directory.ts'
import { packVolumes, type PackFile } from './pack-volumes.ts'
import { frame } from './testing/plan-samples.ts'
import { VolumeRoom } from './volume-room.ts'

const MIB = 2 ** 20
const GIB = 2 ** 30
const run = promisify(execFile)

let root: string
let image: string
let mounted: string | undefined
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'file-systems-'))
  image = join(root, 'image')
})
afterEach(async () => {
  if (mounted !== undefined) await run('umount', [mounted])
  mounted = undefined
  await rm(root, { recursive: true })
})

const MKFS: Partial<Record<FileSystemName, readonly string[]>> = {
  ext4: ['mkfs.ext4', '-q', '-F'],
  xfs: ['mkfs.xfs', '-q', '-f'],
  btrfs: ['mkfs.btrfs', '-q', '-f'],
}

async function makeMounted(name: FileSystemName, bytes: number): Promise<string> {
  await rm(image, { force: true })
  await makeSparse(bytes)
  const [program, ...args] = MKFS[name]!
  await run(program!, [...args, image])
  const at = join(root, 'mounted')
  await mkdir(at, { recursive: true })
  await run('mount', ['-o', 'loop', image, at])
  mounted = at
  return at
}

async function unmount(): Promise<void> {
  await run('umount', [mounted!])
  mounted = undefined
}

async function makeSparse(bytes: number): Promise<void> {
  await using handle = await open(image, 'w')
  await handle.truncate(bytes)
}

/** Small ones, an odd number of bytes, deep and in a large directory, long names; then large ones. */
function sampleFiles(bytes: number): PackFile[] {
  const files: [string, number][] = []
  for (let n = 0; n < 300; n++) files.push([`many/${'name-'.repeat(1 + (n % 20))}${n}`, 1 + n * 37])
  for (let n = 0; n < 20; n++) files.push([`${'deep/'.repeat(n)}file`, n * 1000])
  for (let left = bytes; left > 0; left -= 9_999_999) files.push([`large-${left}`, 9_999_999])
  return files.map(([path, size_bytes]) => ({
    ...{ chain: 'edge', shipment: 'seq1', path, size_bytes },
    sha256: createHash('sha256').update(path).digest('hex'),
  }))
}

/** Writes what was planned for a volume, with bytes that no file system can save on. */
async function fill(at: string, files: readonly { stored: string; size_bytes: number }[]): Promise<void> {
  const bytes = randomBytes(10_000_000)
  for (const file of files) {
    await mkdir(dirname(join(at, file.stored)), { recursive: true })
    await writeFile(join(at, file.stored), bytes.subarray(0, file.size_bytes), { flush: true })
  }
}

describe.each(['ext4', 'xfs', 'btrfs'] as const)('%s', (name) => {
  const system = fileSystem(name)

  test('takes for itself what mkfs takes, and little less', async () => {
    for (const bytes of [320 * MIB, 600 * MIB, 3 * GIB, 20 * GIB, 100 * GIB]) {
      const at = await makeMounted(name, bytes)
      const { bavail, bsize } = await statfs(at)
      const taken = bytes - bavail * bsize
      const planned = system.overheadBytes(bytes)
      expect(system.clusterBytes(bytes)).toBe(bsize)
      expect(planned, `${bytes}`).toBeGreaterThanOrEqual(taken)
      expect(planned - taken, `${bytes}`).toBeLessThanOrEqual(0.02 * bytes + 100 * MIB)
      expect((await mediumOfDirectory(at, 0)).filesystem).toBe(name)
      await unmount()
    }
  })

  test('a volume that is planned full can be written', async () => {
    const bytes = 320 * MIB
    const medium: Medium = {
      ...{ name: 'sample', filesystem: name, cluster_bytes: system.clusterBytes(bytes) },
      capacity_bytes: bytes - system.overheadBytes(bytes),
    }
    const [volume] = packVolumes(sampleFiles(bytes), [medium], frame())
    expect(volume!.used_bytes).toBeGreaterThan(medium.capacity_bytes! * 0.9)
    const at = await makeMounted(name, bytes)
    const before = await freeBytes(at)
    await fill(join(at, 'volume'), [...frame().metadata, ...volume!.entries])
    const taken = before - (await freeBytes(at))
    // Its own document, sums and signature are not written here.
    expect(taken).toBeLessThanOrEqual(volume!.used_bytes)
    expect(taken).toBeGreaterThan(volume!.used_bytes * 0.97 - 500_000)
  })
})

async function freeBytes(at: string): Promise<number> {
  await run('sync', ['-f', at])
  const { bfree, bsize } = await statfs(at)
  return bfree * bsize
}

describe('FAT32', () => {
  test('clusters and tables are those of mkfs.vfat', async () => {
    const system = fileSystem('fat32')
    for (const bytes of [100 * MIB, 260 * MIB, 300 * MIB, 4 * GIB, 12 * GIB, 30 * GIB, 64 * GIB, 200 * GIB]) {
      await makeSparse(bytes)
      await run('mkfs.vfat', ['-F', '32', image])
      const { cluster, data } = await bootSector()
      expect(system.clusterBytes(bytes), `${bytes}`).toBe(cluster)
      const taken = bytes - data + cluster
      expect(system.overheadBytes(bytes), `${bytes}`).toBeGreaterThanOrEqual(taken)
      expect(system.overheadBytes(bytes) - taken, `${bytes}`).toBeLessThan(MIB)
    }
  })
})

/** Bytes of a cluster and of all clusters, by the boot sector of FAT32. */
async function bootSector(): Promise<{ cluster: number; data: number }> {
  await using handle = await open(image, 'r')
  const { buffer } = await handle.read(Buffer.alloc(512), 0, 512, 0)
  const sector = buffer.readUInt16LE(11)
  const cluster = sector * buffer.readUInt8(13)
  const sectors = buffer.readUInt16LE(19) || buffer.readUInt32LE(32)
  const before = buffer.readUInt16LE(14) + buffer.readUInt8(16) * buffer.readUInt32LE(36)
  return { cluster, data: Math.floor(((sectors - before) * sector) / cluster) * cluster }
}

describe('exFAT', () => {
  // Clusters, and bytes that are not clusters for data, as mkfs.exfat 1.2.0 makes them.
  test.each([
    [100 * MIB, 4096, 2_113_536],
    [256 * MIB, 4096, 2_117_632],
    [257 * MIB, 32_768, 2_195_456],
    [8 * GIB, 32_768, 2_195_456],
    [32 * GIB, 32_768, 5_439_488],
    [33 * GIB, 131_072, 3_538_944],
    [128 * GIB, 131_072, 5_636_096],
    [1024 * GIB, 131_072, 35_913_728],
  ])('of %i bytes', (bytes, cluster, taken) => {
    const system = fileSystem('exfat')
    expect(system.clusterBytes(bytes)).toBe(cluster)
    expect(system.overheadBytes(bytes)).toBeGreaterThanOrEqual(taken)
    expect(system.overheadBytes(bytes) - taken).toBeLessThan(2 * MIB)
  })
})

describe('UDF', () => {
  // On a stick and on a disc.
  test.each([512, 2048])('takes for itself what mkudffs takes with blocks of %i bytes', async (block) => {
    for (const bytes of [64 * MIB, 4 * GIB, 64 * GIB]) {
      await makeSparse(bytes)
      await run('mkudffs', [`--blocksize=${block}`, image])
      const { stdout } = await run('udfinfo', [image])
      const taken = bytes - Number(/^freeblocks=(\d+)$/m.exec(stdout)![1]) * block
      const planned = fileSystem('udf').overheadBytes(bytes)
      expect(planned, `${bytes}`).toBeGreaterThanOrEqual(taken)
      expect(planned - taken, `${bytes}`).toBeLessThan(2 * MIB + 0.001 * bytes)
    }
  })
})

describe('ISO 9660', () => {
  test('an image is as large as planned, or a little smaller', async () => {
    const tree = join(root, 'tree')
    const files = sampleFiles(30 * MIB).map((file) => ({ stored: file.path, size_bytes: file.size_bytes }))
    await fill(join(tree, 'volume'), files)
    await run('xorriso', ['-as', 'mkisofs', '-quiet', '-R', '-o', image, tree])
    const room = new VolumeRoom({ name: 'sample', filesystem: 'iso9660', cluster_bytes: 2048 })
    for (const file of files) room.add(file.stored, file.size_bytes)
    const planned = room.bytes + fileSystem('iso9660').overheadBytes(0)
    // xorriso adds 300 KiB that no file needs.
    const { size } = await stat(image)
    expect(planned).toBeGreaterThanOrEqual(size - 300 * 1024)
    expect(planned - size).toBeLessThan(0.02 * size)
  })
})
