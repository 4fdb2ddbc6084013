import { readFileSync } from 'node:fs'
import { mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { checkFiles } from './check-files.ts'
import { readShipment, type Shipment } from './read-shipment.ts'
import { makeShipment } from './testing/index.ts'

let shipment: Shipment
beforeEach(async () => {
  const content = await mkdtemp(join(tmpdir(), 'check-'))
  onTestFinished(() => rm(content, { recursive: true }))
  shipment = await makeShipment(content, { number: 1, files: { 'a.bin': 'aaaa', 'sub/b.bin': 'bbbb' } })
})

const faults = async (mode: 'fast' | 'full'): Promise<string[]> =>
  (await checkFiles(shipment, { mode })).faults.map((fault) => `${fault.code} ${fault.path}`)

test('finds nothing in a whole shipment of a kind that it does not know, signatures and all', async () => {
  await writeFile(join(shipment.directory, `SHA256SUMS.${'A'.repeat(40)}.asc`), 'a signature')
  expect(await checkFiles(shipment, { mode: 'full' })).toEqual({ faults: [], files: 4, bytes: 8 })
})

test('names what is missing, cut, changed, more, and not a file', async () => {
  const { directory } = shipment
  await writeFile(join(directory, 'a.bin'), 'aaab')
  expect(await faults('fast')).toEqual([])
  expect(await faults('full')).toEqual(['DIGEST_MISMATCH a.bin'])
  await truncate(join(directory, 'a.bin'), 3)
  expect(await faults('fast')).toEqual(['SIZE_MISMATCH a.bin'])
  await rm(join(directory, 'a.bin'))
  expect(await faults('fast')).toEqual(['FILE_MISSING a.bin'])
  await symlink('sub/b.bin', join(directory, 'a.bin'))
  await writeFile(join(directory, 'stray'), '')
  expect(await faults('full')).toEqual(['FILE_UNEXPECTED a.bin', 'FILE_UNEXPECTED stray'])
})

test('notices sums that say something else than the metadata, and metadata that was changed', async () => {
  const sums = join(shipment.directory, 'SHA256SUMS')
  await writeFile(sums, `${'0'.repeat(64)}  a.bin\n`)
  expect(await faults('fast')).toEqual([
    'INDEX_MISMATCH a.bin',
    'DIGEST_MISMATCH seq-metadata.yaml',
    'INDEX_MISMATCH sub/b.bin',
  ])
  await rm(sums)
  expect(await faults('fast')).toEqual(['FILE_MISSING SHA256SUMS'])
})

test('reads metadata by its file alone: a changed byte is another shipment', async () => {
  const file = join(shipment.directory, 'seq-metadata.yaml')
  await writeFile(file, `${readFileSync(file, 'utf8')}extra: 1\n`)
  const changed = await readShipment(shipment.directory)
  expect(changed.metadataDigest).not.toBe(shipment.metadataDigest)
  shipment = changed
  expect(await faults('fast')).toEqual(['DIGEST_MISMATCH seq-metadata.yaml'])
})
