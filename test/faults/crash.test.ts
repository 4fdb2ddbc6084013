import { beforeAll, describe, expect, test } from 'vitest'
import { commitCase, publishCase } from './cases.ts'
import { disturb, undisturbed } from './disturb.ts'
import { need, places, sample } from './harness/index.ts'

/** Faults of each kind that are tried where not all are asked for. */
const SAMPLE = 14

beforeAll(() => need('strace'))

describe.for([commitCase, publishCase])('$name', (one) => {
  test('its calls are in the order that durability asks for', async () => {
    const { calls, breaches } = await undisturbed(one)
    expect(calls.length).toBeGreaterThan(15)
    expect(breaches).toEqual([])
  })

  test.for(['SIGKILL', 'EIO', 'ENOSPC'] as const)(
    '%s at any call leaves old or new, and a second run ends it',
    async (what) => {
      const { calls, tree } = await undisturbed(one)
      const all = places(calls, what)
      expect(all.length).toBeGreaterThan(15)
      const found: string[] = []
      for (const fault of sample(all, SAMPLE)) found.push(...(await disturb(one, fault, tree)))
      expect(found).toEqual([])
    },
  )
})
