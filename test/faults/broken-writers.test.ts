import { beforeAll, describe, expect, test } from 'vitest'
import { fileCase } from './cases.ts'
import { disturb, undisturbed } from './disturb.ts'
import { type Breach, type Injection, need, places } from './harness/index.ts'
import type { WriterName } from './programs/writers.ts'

// Each of these writers leaves out one thing. Were one of them not found out, the other tests of this directory would
// prove nothing about the writer of the product, which passes the very same checks here.

beforeAll(() => need('strace'))

describe('the order of calls', () => {
  const rulesBroken = async (writer: WriterName) =>
    (await undisturbed(fileCase(writer))).breaches.map(({ rule }: Breach) => rule)

  test.for([
    ['no fsync', 'what gets a name is synced before'],
    ['rename before fsync', 'what gets a name is synced before'],
    ['no directory fsync', 'a directory is synced after a name changed in it'],
    ['non-exclusive create', 'a file is created exclusively'],
    ['delete first', 'a name is never removed'],
  ] as const)('finds out: %s', async ([writer, rule]) => {
    expect(await rulesBroken(writer)).toEqual([rule])
  })

  test('lets the product pass', async () => {
    expect(await rulesBroken('product')).toEqual([])
  })
})

describe('a fault at every call', () => {
  const faults = async (writer: WriterName, what: Injection['what']) => {
    const one = fileCase(writer)
    const { calls, tree } = await undisturbed(one)
    const found: string[] = []
    for (const place of places(calls, what)) found.push(...(await disturb(one, place, tree)))
    return found
  }

  test('SIGKILL finds out: delete first', async () => {
    // In the moment between, there is neither the old file nor the new one.
    expect(await faults('delete first', 'SIGKILL')).toEqual([
      expect.stringMatching(/SIGKILL at close \d+: .* has no bytes$/),
      expect.stringMatching(/SIGKILL at rename(?:at2?)? 1: .* has no bytes$/),
    ])
  })

  test('EIO finds out: ignored close error', async () => {
    expect(await faults('ignored close error', 'EIO')).toEqual([
      expect.stringMatching(/EIO at close \d+: exit 0/),
    ])
  })

  test.for(['SIGKILL', 'EIO'] as const)('%s lets the product pass', async (what) => {
    expect(await faults('product', what)).toEqual([])
  })
})
