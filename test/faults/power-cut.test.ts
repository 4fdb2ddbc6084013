import { beforeAll, expect, test } from 'vitest'
import { isFull, need } from './harness/index.ts'
import { cutWhileWriting } from './power-cut.ts'

const CUTS = isFull ? 40 : 6

beforeAll(() =>
  need('losetup', 'mount', 'umount', 'cp', 'sync', 'btrfs', 'mkfs.btrfs', 'mkfs.ext4', 'mkfs.xfs'),
)

test.for(['ext4', 'xfs', 'btrfs'] as const)(
  '%s keeps what was called durable when the power is cut',
  async (type) => {
    const cuts = await cutWhileWriting(type, 'product', CUTS)
    expect(cuts).toHaveLength(CUTS)
    for (const { acknowledged, lost } of cuts) {
      expect(acknowledged).toBeGreaterThanOrEqual(5)
      expect(lost).toEqual([])
    }
  },
)

test.for(['ext4', 'xfs'] as const)('%s loses what a writer without fsync called durable', async (type) => {
  const [cut] = await cutWhileWriting(type, 'no fsync', 1)
  expect(cut!.lost).not.toEqual([])
})
