import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { checkLinks, readChain } from './chain.ts'
import { makeShipment } from './testing/index.ts'

async function contentDirectory(): Promise<string> {
  const content = await mkdtemp(join(tmpdir(), 'chain-'))
  onTestFinished(() => rm(content, { recursive: true }))
  return content
}

test('reads a chain by number, also from 9 to 10, whatever kinds are in it', async () => {
  const content = await contentDirectory()
  let previous = await makeShipment(content, { number: 1 })
  for (let number = 2; number <= 11; number++)
    previous = await makeShipment(content, { number, previous, kind: 'Unknown' })
  const chain = await readChain(content)
  expect(chain.map((shipment) => shipment.metadata.sequence_number)).toEqual([
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
  ])
  expect(checkLinks(chain)).toEqual([])
})

test('names a gap, a fork, a foreign chain and a false first', async () => {
  const content = await contentDirectory()
  const one = await makeShipment(content, { number: 1 })
  const two = await makeShipment(content, { number: 2, previous: one })
  const four = await makeShipment(content, { number: 4, previous: two })
  const codes = (...chain: Parameters<typeof checkLinks>[0][number][]): string[] =>
    checkLinks(chain).map((fault) => fault.code)
  expect(codes(one, two)).toEqual([])
  expect(codes(two)).toEqual([])
  expect(codes(one, two, four)).toEqual(['SEQ_GAP'])

  const elsewhere = await contentDirectory()
  const otherOne = await makeShipment(elsewhere, { number: 1, files: { 'payload.bin': 'another history' } })
  const otherTwo = await makeShipment(elsewhere, { number: 2, previous: otherOne })
  expect(codes(one, otherTwo)).toEqual(['SEQ_FORK'])
  expect(codes(one, two, otherTwo)).toEqual(['SEQ_FORK'])

  const foreign = await makeShipment(await contentDirectory(), {
    number: 2,
    previous: one,
    chain: { id: '00000000-0000-4000-8000-000000000002', name: 'other' },
  })
  expect(codes(one, foreign)).toEqual(['SEQ_WRONG_CHAIN'])
  expect(codes(await makeShipment(await contentDirectory(), { number: 1, previous: one }))).toEqual([
    'SEQ_FORK',
  ])
  expect(codes(await makeShipment(await contentDirectory(), { number: 2 }))).toEqual(['SEQ_FORK'])
})
