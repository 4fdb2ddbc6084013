import { createHash } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { VolumeEntry } from '@carryall/schemas'
import type { Shipment } from '@carryall/shipment'
import { makeShipment } from '@carryall/shipment/testing'
import { openStage } from './stage.ts'

const TEXT = 'halves and halves'
const HALF = 8

let dir: string
let shipment: Shipment
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'stage-'))
  shipment = await makeShipment(dir, { number: 1, files: { one: TEXT, 'sub/two': TEXT, small: 'small' } })
})
afterEach(() => rm(dir, { recursive: true }))

const open = () => openStage(join(dir, 'staging'), shipment.metadata)
const at = (path: string) => join(dir, 'staging', 'tree', path)
const entry = (path: string, part?: number): VolumeEntry => {
  const file = shipment.metadata.files.find((one) => one.path === path)!
  const { size_bytes: file_size_bytes, sha256 } = file
  const names = {
    chain: 'sample',
    shipment: shipment.metadata.name,
    path,
    stored: 'x',
    file_size_bytes,
    sha256,
  }
  if (part === undefined) return { ...names, size_bytes: file_size_bytes }
  const offset = (part - 1) * HALF
  return { ...names, part, parts: 2, offset, size_bytes: part === 1 ? HALF : file_size_bytes - HALF }
}
async function* bytesOf({ offset = 0, size_bytes, path }: VolumeEntry): AsyncGenerator<Buffer> {
  const text = path === 'small' ? 'small' : TEXT
  yield Buffer.from(text.slice(offset, offset + size_bytes))
}
const proven = (): void => undefined

test('two files of one content come in parts, in turns', async () => {
  await using stage = await open()
  for (const part of [1, 2])
    for (const path of ['one', 'sub/two']) {
      const half = entry(path, part)
      expect(stage.wants(half)).toBe(true)
      await stage.take(half, bytesOf(half), proven)
    }
  expect(stage.missing().map((file) => file.path)).toEqual(['small'])
  expect(await readFile(at('one'), 'utf8')).toBe(TEXT)
  expect(await readFile(at('sub/two'), 'utf8')).toBe(TEXT)
})

/** As a run leaves it that is killed when the last part is recorded, and before the file has its name. */
async function leaveUnnamed(content: string): Promise<void> {
  const name = createHash('sha256').update('one').digest('hex')
  await using _begun = await open()
  await writeFile(join(dir, 'staging', 'parts', name), content)
  await writeFile(
    join(dir, 'staging', 'parts', `${name}.pieces`),
    JSON.stringify([{ offset: 0, size: TEXT.length }]),
  )
}

test('a file whose parts are all there gets its name from the next run', async () => {
  await leaveUnnamed(TEXT)
  await using stage = await open()
  expect(stage.missing().map((file) => file.path)).toEqual(['small', 'sub/two'])
  expect(await readFile(at('one'), 'utf8')).toBe(TEXT)
})

test('one whose parts are not what they should be is wanted once more', async () => {
  await leaveUnnamed(TEXT.toUpperCase())
  await using stage = await open()
  expect(stage.wants(entry('one', 1))).toBe(true)
  for (const part of [1, 2]) await stage.take(entry('one', part), bytesOf(entry('one', part)), proven)
  expect(await readFile(at('one'), 'utf8')).toBe(TEXT)
})

test('what a killed run left half done is mended: temporary files, modes of directories', async () => {
  {
    await using stage = await open()
    await stage.take(entry('sub/two'), bytesOf(entry('sub/two')), proven)
  }
  const orphan = at('sub/.carryall-tmp-0123456789abcdef01234567')
  await writeFile(orphan, 'half')
  await chmod(at('sub'), 0o700)
  await using stage = await open()
  expect(stage.missing().map((file) => file.path)).toEqual(['one', 'small'])
  await expect(stat(orphan)).rejects.toMatchObject({ code: 'ENOENT' })
  expect((await stat(at('sub'))).mode & 0o777).toBe(0o755)
})

test('small files are wanted once more where their sync has failed', async () => {
  await using stage = await open()
  await stage.take(entry('small'), bytesOf(entry('small')), proven)
  expect(stage.wants(entry('small'))).toBe(false)
  await stage.distrust()
  expect(stage.wants(entry('small'))).toBe(true)
  await expect(stat(at('small'))).rejects.toMatchObject({ code: 'ENOENT' })
})
