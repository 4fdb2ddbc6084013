import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeShipment } from '@carryall/shipment/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { metadataFiles } from './metadata-files.ts'

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'metadata-'))
})
afterEach(() => rm(root, { recursive: true }))

async function sample() {
  const { directory, metadata, metadataFile, metadataDigest } = await makeShipment(root, {
    ...{ number: 1, kind: 'Unheard', lane: 'release' },
  })
  const about = {
    ...{ chain: 'edge', shipment: metadata.name },
    ...{ metadata_file: metadataFile, metadata_digest: metadataDigest },
  }
  return { directory, about }
}

test('the metadata of any kind, its sums and its signatures', async () => {
  const { directory, about } = await sample()
  for (const name of [
    `SHA256SUMS.${'B'.repeat(40)}.asc`,
    `SHA256SUMS.${'A'.repeat(40)}.asc`,
    'SHA256SUMS.asc',
  ])
    await writeFile(join(directory, name), name)
  const files = await metadataFiles(directory, about)
  expect(files.map((file) => file.path)).toEqual([
    'release-metadata.yaml',
    'SHA256SUMS',
    `SHA256SUMS.${'A'.repeat(40)}.asc`,
    `SHA256SUMS.${'B'.repeat(40)}.asc`,
  ])
  expect(files[2]).toMatchObject({
    ...{ chain: 'edge', shipment: 'seq1-sample', size_bytes: 55 },
    stored: `edge/seq1-sample/SHA256SUMS.${'A'.repeat(40)}.asc`,
    bytes: Buffer.from(`SHA256SUMS.${'A'.repeat(40)}.asc`),
  })
})

test('metadata that is not that of the plan, sums that are not its own', async () => {
  const { directory, about } = await sample()
  const other = { ...about, metadata_digest: `sha256:${'0'.repeat(64)}` }
  await expect(metadataFiles(directory, other)).rejects.toMatchObject({ code: 'DIGEST_MISMATCH', exit: 82 })
  await writeFile(join(directory, 'SHA256SUMS'), `${'0'.repeat(64)}  release-metadata.yaml\n`)
  await expect(metadataFiles(directory, about)).rejects.toMatchObject({ code: 'INDEX_MISMATCH' })
  await rm(directory, { recursive: true })
  await expect(metadataFiles(directory, about)).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND', exit: 66 })
})
