import { beforeAll, describe, expect, test } from 'vitest'
import { isFull, need, seed } from './harness/index.ts'
import { cutWhileRunning } from './transfer/cut-while-running.ts'
import { measure } from './transfer/disturb-transfer.ts'
import { makePackCases } from './transfer/pack-cases.ts'
import { startSite } from './transfer/site.ts'
import { makeUnpackCases } from './transfer/unpack-cases.ts'

const CUTS = isFull ? { ext4: 20, xfs: 20, btrfs: 20 } : { ext4: 4, xfs: 3, btrfs: 3 }

beforeAll(() =>
  need('losetup', 'mount', 'umount', 'cp', 'sync', 'btrfs', 'mkfs.btrfs', 'mkfs.ext4', 'mkfs.xfs', 'strace'),
)

describe.for([
  ['transfer-unpack', makeUnpackCases],
  ['transfer-pack', makePackCases],
] as const)('%s', ([tool, makeCases]) => {
  test('what it reported as done is whole when the power is cut, and the next run ends the rest', async () => {
    await using site = await startSite(tool)
    const [one] = await makeCases(site)
    const measured = await measure(one!, site.scratch.at('measured'))
    let midway = 0
    for (const type of ['ext4', 'xfs', 'btrfs'] as const) {
      const cuts = await cutWhileRunning(measured, type, CUTS[type])
      expect(cuts).toHaveLength(CUTS[type])
      expect(
        cuts.flatMap(({ found }) => found),
        `with CARRYALL_SEED=${seed}`,
      ).toEqual([])
      midway += cuts.filter((cut) => cut.midway).length
    }
    // Or nothing was proven.
    expect(midway, `with CARRYALL_SEED=${seed}`).toBeGreaterThan(0)
  })
})
