import { expect, test } from 'vitest'
import {
  parseKind,
  transferPlanKind,
  volumeKind,
  type TransferPlan,
  type VolumeEntry,
} from '@carryall/schemas'
import { addedBytes, frameBytes } from './text-bytes.ts'
import { frame } from './testing/plan-samples.ts'
import { formatVolume, volumeDocument } from './volume-document.ts'
import { storedPath, volumeName } from './volume-layout.ts'

const SET = `sha256:${'c1'.repeat(32)}`
const TOOL = { name: 'transfer-pack', version: '1.2.3' }

const entries: VolumeEntry[] = ['a', 'b/é'].map((path) => {
  const names = { chain: 'edge', shipment: 'seq1', path }
  const sha256 = 'a'.repeat(64)
  return { ...names, file_size_bytes: 7, sha256, size_bytes: 7, stored: storedPath({ ...names, sha256 }) }
})

function plan(): TransferPlan {
  const { site, chains } = frame()
  const medium = { name: 'dvd', filesystem: 'udf', cluster_bytes: 2048 } as const
  const volumes = [{ number: 1, medium, used_bytes: 1, entries }]
  return parseKind(
    transferPlanKind,
    {
      ...{ apiVersion: 'carryall/v1', kind: 'TransferPlan', set: SET, site, chains, volumes },
      ...{ basis: { mode: 'nothing', receipts: [] }, alternatives: [], media: [medium] },
      totals: { shipments: 1, files: 2, size_bytes: 14, volumes: 1 },
    },
    'plan',
  )
}

test('the document of a volume is valid, complete and without what is of the plan alone', () => {
  const { metadata } = frame()
  const volume = volumeDocument(plan(), 1, { tool: TOOL, metadata, encryption: 'age' })
  expect(parseKind(volumeKind, JSON.parse(formatVolume(volume)), 'volume.json')).toEqual(volume)
  expect(volume).toMatchObject({
    ...{ set: SET, number: 1, volumes: 1, site: 'plant-7', encryption: 'age', entries, metadata, tool: TOOL },
  })
  expect(volume.chains[0]!.shipments[0]).not.toHaveProperty('reason')
  expect(Object.keys(volume)).toEqual(Object.keys(volumeKind.schema.parse(volume) as object))
  expect(() => volumeDocument(plan(), 2, { tool: TOOL, metadata })).toThrow(
    expect.objectContaining({ code: 'USAGE_BAD_VALUE' }),
  )
})

test('it has as many bytes as planned, but for what is not known then', () => {
  const { metadata } = frame()
  for (const some of [entries, entries.slice(1)]) {
    const about = { tool: TOOL, metadata, encryption: 'openpgp' } as const
    const volume = { ...volumeDocument(plan(), 1, about), entries: some }
    const planned = some.reduce(
      (sum, entry) => sum + addedBytes(entry).document,
      frameBytes(frame()).document,
    )
    const bytes = Buffer.byteLength(formatVolume(volume))
    // Digits of number and volumes, and the version.
    expect(planned - bytes).toBe(4 + 4 + '000.000.000-pre.000'.length - '1.2.3'.length)
  }
})

test('names', () => {
  expect(volumeName(SET, 7)).toBe('carryall-c1c1c1c1-007')
  expect(volumeName(SET, 1234)).toBe('carryall-c1c1c1c1-1234')
  const place = { chain: 'edge', shipment: 'seq1', path: 'a/b', sha256: 'ab'.repeat(32) }
  expect(storedPath(place)).toBe('edge/seq1/a/b')
  expect(storedPath({ ...place, part: 12 })).toBe(`parts/${'ab'.repeat(16)}/0012`)
  expect(storedPath({ ...place, part: 12 }, 2)).toBe(`parts/${'ab'.repeat(16)}-2/0012`)
})
