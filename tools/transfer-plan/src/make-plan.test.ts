import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseMedium } from '@carryall/media'
import { parseDocument, toJson, type BlobLine, type Medium, type TransferPlan } from '@carryall/schemas'
import { Catalogue } from './catalogue.ts'
import type { Chain, Member } from './chain.ts'
import { cross } from './crossing.ts'
import { makePlan } from './make-plan.ts'

interface Sample {
  readonly sizes: readonly number[]
  /** Earlier ones that it borrows from, of each the blob that it is named by. */
  readonly from: readonly number[]
  readonly complete: boolean
}

const sample = fc
  .record({
    shipments: fc.array(
      fc.record({
        sizes: fc.array(fc.integer({ min: 0, max: 3_000_000 }), { minLength: 1, maxLength: 3 }),
        from: fc.uniqueArray(fc.nat(7), { maxLength: 3 }),
        complete: fc.boolean(),
      }),
      { minLength: 1, maxLength: 7 },
    ),
    media: fc.uniqueArray(fc.constantFrom('2MB', '5MB', 'usb:16MB', 'unlimited'), {
      minLength: 1,
      maxLength: 2,
    }),
    rate: fc.option(fc.integer({ min: 1, max: 1e6 }), { nil: undefined }),
  })
  .filter(({ shipments }) => !shipments.at(-1)!.complete)

const digest = (name: string): string => `sha256:${Buffer.from(name.padEnd(32, '-')).toString('hex')}`

function chainOf(shipments: readonly Sample[], directory: string): Chain {
  const members = shipments.map(({ sizes, from }, place): Member => {
    const name = `seq${place + 1}-sample`
    const files = sizes.map((size_bytes, at) => ({
      path: `file${at}`,
      size_bytes,
      sha256: digest(`${name} ${at}`).slice('sha256:'.length),
    }))
    return {
      directory: `${directory}/${name}`,
      metadataFile: 'seq-metadata.yaml',
      metadataDigest: digest(name),
      value: {},
      metadata: {
        apiVersion: 'carryall/v1',
        kind: 'Sequence',
        chain: { id: '00000000-0000-4000-8000-000000000001', name: 'sample' },
        sequence_number: place + 1,
        name,
        timestamp: '2026-01-02T03:04:05Z',
        complete: from.every((other) => other >= place),
        dependencies: [],
        tool: { name: 'by-hand', version: '1' },
        files,
      },
      bytes: sizes.reduce((sum, size) => sum + size, 0),
      here: true,
    }
  })
  const [{ metadata }] = members as [Member]
  return { ...metadata.chain, directory, members, target: members.length - 1 }
}

function planOf(
  {
    shipments,
    media,
    rate,
  }: { shipments: readonly Sample[]; media: readonly string[]; rate: number | undefined },
  directory = '/srv/content',
): TransferPlan {
  const chain = chainOf(shipments, directory)
  const catalogue = new Catalogue()
  const contents = chain.members.map(({ metadataDigest, metadata }, place) => {
    const lines: BlobLine[] = [
      { digest: digest(`blob ${place}`), size: 1, media_type: 'x', archive: 'file0', offset: 0 },
      ...shipments[place]!.from.filter((other) => other < place).map((other) => ({
        digest: digest(`blob ${other}`),
        size: 1,
        sequence: other + 1,
      })),
    ]
    return catalogue.contentOf(metadataDigest, metadata, lines)
  })
  const complete = new Set(
    chain.members.filter((_, place) => shipments[place]!.complete).map((member) => member.metadataDigest),
  )
  const crossing = cross({ chain, contents, catalogue, standing: { complete }, site: 'lab' })
  return makePlan({
    site: 'lab',
    basis: { mode: 'nothing', receipts: [] },
    crossings: [crossing],
    current: [],
    metadata: crossing.shipments.map(({ member }) => ({
      chain: 'sample',
      shipment: member.metadata.name,
      path: member.metadataFile,
      size_bytes: 1000,
      stored: `sample/${member.metadata.name}/${member.metadataFile}`,
    })),
    media: media.map((text) => parseMedium(text, { reserveBytes: 0, filesystem: 'ext4' }) as Medium),
    rate,
  })
}

test('the same input gives the same plan, byte for byte, and the same set wherever it lies', () => {
  fc.assert(
    fc.property(sample, (given) => {
      const plan = planOf(given)
      expect(toJson(planOf(structuredClone(given)))).toBe(toJson(plan))
      expect(planOf(given, '/mnt/copy').set).toBe(plan.set)
      parseDocument(plan, 'plan', ['TransferPlan'])
    }),
    { numRuns: 100 },
  )
})

test('each byte of what is carried is on one volume, and no volume is too full', () => {
  fc.assert(
    fc.property(sample, (given) => {
      const plan = planOf(given)
      const carried = plan.chains[0]!.shipments.filter((one) => one.carried)
      const chain = chainOf(given.shipments, '/srv/content')
      const wanted = chain.members
        .filter(({ metadata }) => carried.some((one) => one.name === metadata.name))
        .flatMap(({ metadata }) => metadata.files.map((file) => ({ shipment: metadata.name, ...file })))
      const entries = plan.volumes.flatMap((volume) => volume.entries)
      for (const file of wanted) {
        const parts = entries
          .filter((entry) => entry.shipment === file.shipment && entry.path === file.path)
          .map((entry) => [entry.offset ?? 0, entry.size_bytes] as const)
          .sort(([a], [b]) => a - b)
        expect(parts.reduce((at, [offset, size]) => (offset === at ? at + size : NaN), 0)).toBe(
          file.size_bytes,
        )
      }
      expect(new Set(entries.map((entry) => `${entry.shipment}/${entry.path}`)).size).toBe(wanted.length)
      for (const { used_bytes: used, medium } of plan.volumes)
        expect(used).toBeLessThanOrEqual(medium.capacity_bytes ?? Infinity)
      expect(plan.totals).toMatchObject({
        files: wanted.length,
        shipments: carried.length,
        volumes: plan.volumes.length,
      })
      expect(plan.totals.size_bytes).toBe(wanted.reduce((sum, file) => sum + file.size_bytes, 0))
    }),
    { numRuns: 100 },
  )
})

test('another content, another spread or another site is another set', () => {
  const given = {
    shipments: [{ sizes: [3_000_000], from: [], complete: false }],
    media: ['unlimited'],
    rate: undefined,
  }
  const { set } = planOf(given)
  expect(planOf({ ...given, rate: 100 }).set).toBe(set)
  expect(planOf({ ...given, media: ['2MB'] }).set).not.toBe(set)
  expect(planOf({ ...given, shipments: [{ sizes: [3_000_001], from: [], complete: false }] }).set).not.toBe(
    set,
  )
  expect(planOf({ ...given, shipments: [...given.shipments, ...given.shipments] }).set).not.toBe(set)
})
