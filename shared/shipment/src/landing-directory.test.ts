import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { removeTree } from '@carryall/durable'
import { headstoneFiles } from './headstones.ts'
import { openLanding, readLanded } from './landing-directory.ts'
import type { Shipment } from './read-shipment.ts'
import { makeShipment } from './testing/index.ts'

let dir: string
let source: Shipment[]
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'landing-'))
  source = []
  for (const number of [1, 2, 3])
    source.push(
      await makeShipment(join(dir, 'source'), {
        number,
        ...(number === 1 ? {} : { previous: source.at(-1)! }),
      }),
    )
})
afterEach(() => rm(dir, { recursive: true }))

const far = () => join(dir, 'far')
const open = (takeOver = false) => openLanding(far(), { holder: 'test', waitSeconds: 0, takeOver })

async function land(shipment: Shipment): Promise<void> {
  const landing = await open()
  const staged = await landing.staging('one')
  await cp(shipment.directory, join(staged, 'tree'), { recursive: true })
  await landing.land(join(staged, 'tree'), shipment.metadata.name)
  await landing.close()
}

const numbers = async () => {
  const known = await readLanded(far())
  return Object.fromEntries(
    Object.entries(known).map(([key, list]) => [key, list.map((one) => one.metadata.sequence_number)]),
  )
}

test('what landed stays known when it is removed', async () => {
  await land(source[0]!)
  await land(source[1]!)
  await rm(join(far(), source[0]!.metadata.name), { recursive: true })
  expect(await numbers()).toEqual({ here: [2], landed: [1, 2], known: [1, 2] })
  await land(source[2]!)
  expect(await numbers()).toEqual({ here: [2, 3], landed: [1, 2, 3], known: [1, 2, 3] })
})

test('what passed by is known, and did not land; numbers may jump', async () => {
  await land(source[0]!)
  const landing = await open()
  await landing.pass(source[1]!.metadata.name, await headstoneFiles(source[1]!))
  await landing.close()
  await land(source[2]!)
  expect(await numbers()).toEqual({ here: [1, 3], landed: [1, 3], known: [1, 2, 3] })
})

test('a headstone that a killed run did not write is written by the next', async () => {
  await land(source[0]!)
  await land(source[1]!)
  await removeTree(join(far(), '.carryall/headstones', source[1]!.metadata.name))
  const landing = await open()
  await landing.close()
  expect((await readdir(join(far(), '.carryall/headstones'))).sort()).toEqual(
    source.slice(0, 2).map((one) => one.metadata.name),
  )
})

test('a copied directory, and one whose memory was lost, are refused until they are taken over', async () => {
  await land(source[0]!)
  await cp(far(), join(dir, 'copy'), { recursive: true })
  await expect(openLanding(join(dir, 'copy'), { holder: 'test', waitSeconds: 0 })).rejects.toMatchObject({
    code: 'SEQ_COPIED',
  })
  await land(source[1]!)
  await rm(join(far(), '.carryall/headstones'), { recursive: true })
  await rm(join(far(), source[1]!.metadata.name), { recursive: true })
  await expect(open()).rejects.toMatchObject({ code: 'SEQ_ROLLBACK' })
  await (await open(true)).close()
  await (await open()).close()
})

test('one process at a time', async () => {
  const landing = await open()
  await expect(open()).rejects.toMatchObject({ code: 'LOCK_HELD' })
  await landing.close()
})

test('a directory that is not there knows nothing', async () => {
  await expect(readLanded(far())).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' })
})
