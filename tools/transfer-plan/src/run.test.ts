import { appendFile, cp, mkdir, mkdtemp, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { runInProcess, type RunOptions } from '@carryall/cli/testing'
import { parseDocument, readDocuments, type Receipt, type TransferPlan } from '@carryall/schemas'
import type { Shipment } from '@carryall/shipment'
import { makeShipment } from '@carryall/shipment/testing'
import { makeSigner, writeTrust } from '@carryall/trust/testing'
import { command } from './command.ts'
import { manyShipments } from './testing/many-shipments.ts'
import { sampleChain, sampleReceipt, type SampleShipment } from './testing/sample-chain.ts'

async function scratch(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'plan-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  return dir
}

interface Ran {
  readonly exit: number
  readonly plan: TransferPlan
  readonly codes: readonly string[]
  readonly errors: readonly { readonly code: string; readonly subject?: { readonly name: string } }[]
  readonly changed: boolean
}

/** Runs the tool; every plan that it prints has to be valid. */
async function plan(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { exit, documents, stderr } = await runInProcess(command, argv, options)
  const [document] = documents as [Record<string, unknown> & { result: { changed: boolean } }]
  if (exit === 0) parseDocument(document, 'stdout', ['TransferPlan'])
  else expect(stderr).not.toBe('')
  const errors = (document?.['errors'] ?? []) as Ran['errors']
  return {
    exit,
    plan: document as unknown as TransferPlan,
    errors,
    codes: errors.map((error) => error.code),
    changed: document?.result.changed ?? false,
  }
}

/** number 1 complete, 2 and 3 on it, 4 needs only 3: number 2 is superseded. */
const CHAIN: readonly SampleShipment[] = [
  { holds: 'abc', bytes: 5000 },
  { holds: 'de', borrows: 'a1 b1', bytes: 2000 },
  { holds: 'fg', borrows: 'a1 c1', bytes: 1900 },
  { holds: 'h', borrows: 'a1 f3', bytes: 1800 },
]

async function prepared(samples = CHAIN): Promise<{
  dir: string
  content: string
  chain: readonly Shipment[]
  receipt: (name: string, receipt: Receipt) => Promise<string>
}> {
  const dir = await scratch()
  const content = join(dir, 'content')
  const chain = await sampleChain(content, samples)
  await mkdir(join(dir, 'receipts'))
  return {
    dir,
    content,
    chain,
    receipt: async (name, receipt) => {
      const file = join(dir, 'receipts', name)
      await writeFile(file, JSON.stringify(receipt))
      return file
    },
  }
}

const carried = ({ chains }: TransferPlan): readonly number[] =>
  chains.flatMap(({ shipments }) => shipments.filter((one) => one.carried).map((one) => one.sequence_number))
const crossing = ({ chains }: TransferPlan): readonly number[] =>
  chains.flatMap(({ shipments }) => shipments.map((one) => one.sequence_number))
const numbers = (links: readonly { sequence_number: number }[]): readonly number[] =>
  links.map((link) => link.sequence_number)

describe('a plan', () => {
  test('carries for a first trip what the newest needs, and the metadata of the rest', async () => {
    const { content } = await prepared()
    const ran = await plan([content, '--have-nothing'])
    expect(ran).toMatchObject({ exit: 0, changed: true })
    expect(carried(ran.plan)).toEqual([1, 3, 4])
    expect(crossing(ran.plan)).toEqual([1, 2, 3, 4])
    expect(ran.plan).toMatchObject({
      basis: { mode: 'nothing', receipts: [] },
      chains: [{ name: 'sample', directory: content, target: { sequence_number: 4 }, present: [] }],
      media: [{ name: 'unlimited' }],
      totals: { shipments: 3, files: 6, volumes: 1 },
    })
    expect(ran.plan.site).toBeUndefined()
    const [volume] = ran.plan.volumes
    expect(volume!.entries.map((entry) => `${entry.shipment} ${entry.path}`)).toEqual([
      'seq1-sample mirror_000001.tar',
      'seq1-sample blobs.ndjson',
      'seq3-sample mirror_000001.tar',
      'seq3-sample blobs.ndjson',
      'seq4-sample mirror_000001.tar',
      'seq4-sample blobs.ndjson',
    ])
    expect(ran.plan.chains[0]!.shipments.every((one) => one.reason.length > 10)).toBe(true)
  })

  test('carries only what the receipt does not prove, and names what it relies on', async () => {
    const { dir, content, chain, receipt } = await prepared()
    await receipt('lab.json', sampleReceipt(chain, { complete: [1, 2] }))
    const ran = await plan([content, '--have', 'receipts'], { cwd: dir })
    expect(carried(ran.plan)).toEqual([3, 4])
    expect(crossing(ran.plan)).toEqual([3, 4])
    expect(ran.plan).toMatchObject({
      site: 'lab',
      basis: {
        mode: 'receipts',
        receipts: [{ holds: 'files', time: '2026-02-03T04:05:06Z', signed_by: [] }],
      },
      chains: [{ from: { sequence_number: 2, metadata_digest: chain[1]!.metadataDigest } }],
    })
    // Number 2 borrows a from number 1, so that its being complete proves a, too; c is proven by number 1 alone.
    expect(numbers(ran.plan.chains[0]!.present)).toEqual([1, 2])
  })

  test('fetches again what a site knows and has no more, without a gap in the metadata', async () => {
    const { content, chain, receipt } = await prepared()
    const file = await receipt('lab.json', sampleReceipt(chain, { complete: [1], partial: [2, 3] }))
    const ran = await plan([content, '--have', file])
    expect(carried(ran.plan)).toEqual([3, 4])
    expect(crossing(ran.plan)).toEqual([3, 4])
    expect(ran.plan.chains[0]!.from?.sequence_number).toBe(3)
    const lost = await receipt(
      'lost.json',
      sampleReceipt(chain, { partial: [1, 2, 3], time: '2026-03-01T00:00:00Z' }),
    )
    const again = await plan([content, '--have', file, '--have', lost])
    expect(carried(again.plan)).toEqual([1, 3, 4])
    expect(crossing(again.plan)).toEqual([1, 2, 3, 4])
  })

  test('is empty where the target is there', async () => {
    const { content, chain, receipt } = await prepared()
    const file = await receipt('lab.json', sampleReceipt(chain, { complete: [1, 2, 3, 4] }))
    const ran = await plan([content, '--have', file])
    expect(ran).toMatchObject({
      exit: 0,
      changed: false,
      plan: {
        chains: [],
        current: [{ name: 'sample', target: { sequence_number: 4 } }],
        volumes: [],
        alternatives: [],
        totals: { shipments: 0, files: 0, size_bytes: 0, volumes: 0 },
      },
    })
    const shown = await runInProcess(command, [content, '--have', file, '-o', 'table'])
    expect(shown.stdout).toContain('seq4-sample')
  })

  test('has a target of its own where one is named, by number, name or directory', async () => {
    const { content, dir, receipt, chain } = await prepared()
    for (const target of [
      'sample=3',
      'seq3-sample',
      'content/seq3-sample',
      `${chain[0]!.metadata.chain.id}=3`,
    ]) {
      const ran = await plan([content, '--have-nothing', '--target', target], { cwd: dir })
      expect(carried(ran.plan)).toEqual([1, 3])
    }
    expect(carried((await plan([join(content, 'seq2-sample'), '--have-nothing'])).plan)).toEqual([1, 2])
    expect(await plan([content, '--have-nothing', '--target', 'sample=9'])).toMatchObject({
      exit: 66,
      codes: ['INPUT_NOT_FOUND'],
    })
    expect(
      await plan([content, '--have-nothing', '--target', 'sample=2', '--target', 'sample=3']),
    ).toMatchObject({ exit: 64 })
    // A site takes nothing older than what it knows.
    const file = await receipt('lab.json', sampleReceipt(chain, { complete: [1], partial: [4] }))
    expect(await plan([content, '--have', file, '--target', 'sample=3'])).toMatchObject({
      exit: 81,
      codes: ['SEQ_ROLLBACK'],
    })
  })

  test('has the alternatives with their prices', async () => {
    const { content, chain, receipt } = await prepared()
    const file = await receipt('lab.json', sampleReceipt(chain, { complete: [1, 2] }))
    const { plan: made } = await plan([content, '--have', file])
    const bytes = (...places: number[]): number =>
      places.reduce(
        (sum, place) => sum + chain[place - 1]!.metadata.files.reduce((all, one) => all + one.size_bytes, 0),
        0,
      )
    expect(
      made.alternatives.map(({ name, size_bytes, volumes, chosen }) => ({
        name,
        size_bytes,
        volumes,
        chosen,
      })),
    ).toEqual([
      { name: 'difference', size_bytes: bytes(3, 4), volumes: 1, chosen: true },
      { name: 'cumulative', size_bytes: bytes(1, 2, 3, 4), volumes: 1, chosen: false },
      { name: 'self-contained', size_bytes: bytes(1), volumes: 1, chosen: false },
      { name: 'complete-baseline', size_bytes: bytes(1), volumes: 1, chosen: false },
      { name: 'cumulative-all', size_bytes: bytes(1, 2, 3, 4), volumes: 1, chosen: false },
      { name: 'sequence-by-sequence', size_bytes: bytes(1, 2, 3, 4), volumes: 4, chosen: false },
    ])
    expect(made.totals.size_bytes).toBe(bytes(3, 4))
  })

  test('spreads over media, large files in parts, with the time to copy', async () => {
    const { content } = await prepared([
      { holds: 'a', bytes: 3_000_000 },
      { holds: 'b', borrows: 'a1', bytes: 400_000 },
    ])
    const { plan: made } = await plan([
      content,
      '--have-nothing',
      '--media',
      '2MB',
      '--reserve',
      '10%',
      '--rate',
      '100kB',
      '--filesystem',
      'ext4',
    ])
    expect(made.volumes.length).toBeGreaterThan(1)
    for (const volume of made.volumes) {
      expect(volume.used_bytes).toBeLessThanOrEqual(1_800_000)
      expect(volume.seconds).toBe(Math.ceil(volume.used_bytes / 100_000))
    }
    expect(made.totals.seconds).toBe(made.volumes.reduce((sum, volume) => sum + volume.seconds!, 0))
    const parts = made.volumes.flatMap(({ entries }) =>
      entries.filter((entry) => entry.part !== undefined && entry.shipment === 'seq1-sample'),
    )
    expect(parts.reduce((sum, part) => sum + part.size_bytes, 0)).toBe(3_000_000)
    const onDisk = await plan([content, '--have-nothing', '--media', `dir:${content}`])
    expect(onDisk.plan.media).toMatchObject([{ name: `dir:${content}` }])
    expect(await plan([content, '--have-nothing', '--media', 'floppy'])).toMatchObject({ exit: 64 })
    expect(await plan([content, '--have-nothing', '--reserve', '100%'])).toMatchObject({ exit: 64 })
    expect(await plan([content, '--have-nothing', '--media', '20kB'])).toMatchObject({
      exit: 73,
      codes: ['MEDIA_TOO_SMALL'],
    })
  })

  test('is the same from documents on a pipe, and is not moved by where things are', async () => {
    const { dir, content, chain } = await prepared()
    const line = (shipment: Shipment, more = {}): string =>
      JSON.stringify({
        ...(shipment.value as object),
        result: {
          ok: true,
          changed: true,
          directory: shipment.directory,
          metadata_digest: shipment.metadataDigest,
          ...more,
        },
      })
    const named = await plan([content, '--have-nothing'])
    expect((await plan(['--have-nothing'], { stdin: line(chain[3]!) })).plan).toEqual(named.plan)
    expect(
      (await plan(['-', '--have-nothing'], { stdin: chain.map((one) => line(one)).join('\n') })).plan,
    ).toEqual(named.plan)
    await cp(content, join(dir, 'copy'), { recursive: true })
    const copied = await plan(['--have-nothing', '--content', 'copy'], { stdin: line(chain[3]!), cwd: dir })
    expect(copied.plan.set).toBe(named.plan.set)
    expect(copied.plan.chains[0]!.directory).toBe(join(dir, 'copy'))
    // The bytes on disk count: what a document says beside them is not believed.
    const lies = { ...JSON.parse(line(chain[3]!)), complete: true, dependencies: [] }
    expect((await plan(['--have-nothing'], { stdin: JSON.stringify(lies) })).plan).toEqual(named.plan)
    expect(
      await plan(['--have-nothing'], {
        stdin: line(chain[3]!, { metadata_digest: chain[2]!.metadataDigest }),
      }),
    ).toMatchObject({ exit: 82, codes: ['DIGEST_MISMATCH'] })
    expect(await plan(['--have-nothing'], { stdin: line(chain[3]!, { ok: false }) })).toMatchObject({
      exit: 66,
      codes: ['INPUT_REFUSED'],
    })
    expect(await plan(['--have-nothing'], { stdin: '' })).toMatchObject({ exit: 66, codes: ['INPUT_EMPTY'] })
  })

  test('takes shipments of any lane, with keys that nobody here knows', async () => {
    const content = join(await scratch(), 'repos')
    const lane = {
      kind: 'RepoExport',
      lane: 'export',
      extra: { repositories: [{ name: 'baseos', advisories: 3 }], mode: 'incremental' },
    } as const
    const one = await makeShipment(content, { number: 1, ...lane })
    const two = await makeShipment(content, {
      number: 2,
      previous: one,
      ...lane,
      files: { 'a/b/c.rpm': 'x', top: 'y' },
    })
    const three = await makeShipment(content, {
      number: 3,
      previous: two,
      ...lane,
      dependencies: [{ sequence_number: 1, name: 'seq1-sample', metadata_digest: one.metadataDigest }],
    })
    const stdin = JSON.stringify({
      ...(three.value as object),
      result: { ok: true, changed: true, directory: three.directory, metadata_digest: three.metadataDigest },
    })
    const ran = await plan(['--have-nothing'], { stdin })
    expect(carried(ran.plan)).toEqual([1, 3])
    expect(ran.plan.chains[0]!.shipments[0]!.metadata_file).toBe('export-metadata.yaml')
    expect(
      (await plan([two.directory, '--have-nothing'])).plan.volumes[0]!.entries.map((entry) => entry.stored),
    ).toEqual(['sample/seq2-sample/a/b/c.rpm', 'sample/seq2-sample/top'])
  })

  test('plans several chains at once, each with what the site has of it', async () => {
    const { dir, content, chain, receipt } = await prepared()
    const other = join(dir, 'other')
    const second = await sampleChain(other, [{ holds: 'a' }, { holds: 'b', borrows: 'a1' }], {
      id: '00000000-0000-4000-8000-000000000002',
      name: 'other',
    })
    await receipt('1.json', sampleReceipt(chain, { complete: [1, 2, 3, 4] }))
    await receipt('2.yaml', sampleReceipt(second, { complete: [1], holds: 'registry' }))
    await writeFile(
      join(dir, 'receipts/plan.json'),
      JSON.stringify({ apiVersion: 'carryall/v1', kind: 'TransferPlan' }),
    )
    const ran = await plan([content, other, '--have', join(dir, 'receipts')])
    expect(ran.plan.chains.map((one) => one.name)).toEqual(['other'])
    expect(ran.plan.current?.map((one) => one.name)).toEqual(['sample'])
    expect(carried(ran.plan)).toEqual([2])
    const first = await plan([other, content, '--have-nothing'])
    expect(first.plan.chains.map((one) => one.name)).toEqual(['other', 'sample'])
    expect(first.plan.totals.shipments).toBe(5)

    await cp(content, join(dir, 'copy'), { recursive: true })
    expect(await plan([content, join(dir, 'copy'), '--have-nothing'])).toMatchObject({ exit: 64 })
    await sampleChain(join(dir, 'namesake'), [{ holds: 'a' }], {
      id: '00000000-0000-4000-8000-000000000003',
      name: 'sample',
    })
    expect(await plan([content, join(dir, 'namesake'), '--have-nothing'])).toMatchObject({ exit: 64 })
  })

  test('of a long chain on a pipe takes what is needed and checks the bytes on disk', async () => {
    const content = join(await scratch(), 'content')
    const chain = await manyShipments(content, 40)
    const stdin = chain
      .map(
        (one) =>
          `${JSON.stringify({ ...(one.value as object), result: { ok: true, changed: true, directory: one.directory, metadata_digest: one.metadataDigest } })}\n`,
      )
      .join('')
    expect(carried((await plan(['--have-nothing'], { stdin })).plan)).toEqual([1, 2, 5, 10, 20, 40])
    await appendFile(join(chain[6]!.directory, 'seq-metadata.yaml'), '# more\n')
    expect(await plan(['--have-nothing'], { stdin })).toMatchObject({ exit: 82, codes: ['DIGEST_MISMATCH'] })
  })

  test('goes on from what landed: what passed by and what was removed are links of the chain', async () => {
    const { content, chain } = await prepared()
    await mkdir(join(content, '.carryall/passed'), { recursive: true })
    await rename(chain[1]!.directory, join(content, '.carryall/passed/seq2-sample'))
    const { plan: made } = await plan([content, '--have-nothing'])
    expect(carried(made)).toEqual([1, 3, 4])
    expect(made.chains[0]!.shipments[1]).toMatchObject({
      carried: false,
      directory: join(content, '.carryall/passed/seq2-sample'),
    })
    // Without its content nothing can take its place.
    expect(await plan([content, '--have-nothing', '--target', 'sample=2'])).toMatchObject({
      exit: 83,
      codes: ['SEQ_INCOMPLETE'],
    })
  })
})

describe('what the site has', () => {
  test('has to be said, in one way', async () => {
    const { content, dir } = await prepared()
    expect(await plan([content])).toMatchObject({ exit: 66, codes: ['RECEIPT_MISSING'] })
    expect(await plan([content, '--have', join(dir, 'receipts')])).toMatchObject({
      exit: 66,
      codes: ['RECEIPT_MISSING'],
    })
    expect(await plan([content, '--have', join(dir, 'nowhere')])).toMatchObject({
      exit: 66,
      codes: ['RECEIPT_MISSING'],
    })
    for (const flags of [
      ['--have-nothing', '--have', dir],
      ['--have-nothing', '--one-way', '--assert', 'sample=1'],
      ['--one-way'],
      ['--assert', 'sample=1'],
    ])
      expect(await plan([content, ...flags])).toMatchObject({ exit: 64 })
  })

  test('may be asserted where nothing comes back, and is recorded', async () => {
    const { content, chain } = await prepared()
    const ran = await plan([content, '--one-way', '--assert', 'sample=3', '--site', 'ship'])
    expect(carried(ran.plan)).toEqual([4])
    expect(ran.plan).toMatchObject({
      site: 'ship',
      basis: {
        mode: 'asserted',
        receipts: [],
        asserted: [{ chain: 'sample', sequence_number: 3, metadata_digest: chain[2]!.metadataDigest }],
      },
      chains: [{ from: { sequence_number: 3 }, present: [{ sequence_number: 3 }] }],
    })
    const two = await plan([content, '--one-way', '--assert', 'sample=1', '--assert', 'sample=2'])
    expect(carried(two.plan)).toEqual([3, 4])
    for (const word of ['sample=9', 'sample', 'other=1', 'sample=0'])
      expect(await plan([content, '--one-way', '--assert', word])).toMatchObject({ exit: 64 })
  })

  test('is what the newest receipt of each form says; older ones that are replayed change nothing', async () => {
    const { dir, content, chain, receipt } = await prepared()
    await receipt('a.json', sampleReceipt(chain, { complete: [1, 2, 3], time: '2026-01-01T00:00:00Z' }))
    await receipt(
      'b.json',
      sampleReceipt(chain, { complete: [1], partial: [2, 3], time: '2026-01-01T00:00:00.5Z' }),
    )
    const have = ['--have', join(dir, 'receipts')]
    expect(carried((await plan([content, ...have])).plan)).toEqual([3, 4])
    // A registry may have what the directory has no more.
    await receipt(
      'c.json',
      sampleReceipt(chain, { complete: [3], holds: 'registry', time: '2025-01-01T00:00:00Z' }),
    )
    const both = await plan([content, ...have])
    expect(carried(both.plan)).toEqual([4])
    expect(both.plan.basis.receipts.map((one) => one.holds)).toEqual(['registry', 'files'])
    await receipt('d.json', sampleReceipt(chain, { complete: [4], site: 'plant' }))
    expect(await plan([content, ...have])).toMatchObject({ exit: 64 })
    expect(carried((await plan([content, ...have, '--site', 'lab'])).plan)).toEqual([4])
    expect(await plan([content, ...have, '--site', 'plant'])).toMatchObject({ changed: false })
    expect(await plan([content, ...have, '--site', 'moon'])).toMatchObject({
      exit: 66,
      codes: ['RECEIPT_MISSING'],
    })
    await receipt('e.json', { ...sampleReceipt(chain, { complete: [4] }), time: 'yesterday' })
    expect(await plan([content, ...have, '--site', 'lab'])).toMatchObject({
      exit: 65,
      codes: ['SCHEMA_INVALID'],
    })
  })

  test('of another chain counts for nothing', async () => {
    const { dir, content, receipt } = await prepared()
    const other = await sampleChain(join(dir, 'other'), [{ holds: 'a' }], {
      id: '00000000-0000-4000-8000-000000000002',
      name: 'other',
    })
    const file = await receipt('lab.json', sampleReceipt(other, { complete: [1] }))
    const ran = await plan([content, '--have', file])
    expect(carried(ran.plan)).toEqual([1, 3, 4])
    expect(ran.plan.basis.receipts).toHaveLength(1)
    expect(ran.plan.chains[0]!.from).toBeUndefined()
  })

  test('has to be signed where the trust file lists the site', async () => {
    const { dir, content, chain, receipt } = await prepared()
    await using ofSite = await makeSigner('site@carryall.example')
    await using other = await makeSigner('other@carryall.example')
    const trust = await writeTrust(join(dir, 'trust'), [ofSite, other], {
      sites: [{ name: 'lab', keys: [ofSite.fingerprint] }],
    })
    const file = await receipt('lab.json', sampleReceipt(chain, { complete: [1] }))
    const flags = [content, '--have', file, '--trust', trust]
    expect(await plan(flags)).toMatchObject({ exit: 80, codes: ['SIG_MISSING'] })
    await writeFile(`${file}.asc`, await other.sign(await readFile(file)))
    expect(await plan(flags)).toMatchObject({ exit: 80, codes: ['SIG_UNKNOWN_KEY'] })
    await writeFile(`${file}.asc`, await ofSite.sign(await readFile(file)))
    expect((await plan(flags)).plan.basis.receipts[0]!.signed_by).toEqual([ofSite.fingerprint])
    await receipt('lab.json', sampleReceipt(chain, { complete: [1, 2, 3] }))
    expect(await plan(flags)).toMatchObject({ exit: 80, codes: ['SIG_INVALID'] })
    // One that is not listed may go on without.
    await receipt('lab.json', sampleReceipt(chain, { complete: [1], site: 'plant' }))
    expect((await plan(flags)).plan.basis.receipts[0]!.signed_by).toEqual([])
  })

  test('has to be a piece of this chain', async () => {
    const { dir, content, chain, receipt } = await prepared()
    const other = await sampleChain(join(dir, 'fork'), [
      ...CHAIN.slice(0, 2),
      { holds: 'z' },
      { holds: 'y' },
      { holds: 'x' },
    ])
    const refused = async (given: Receipt): Promise<readonly string[]> => {
      const ran = await plan([content, '--have', await receipt('lab.json', given)])
      expect(ran.exit).toBe(81)
      return ran.codes
    }
    expect(await refused(sampleReceipt(other, { complete: [1, 3] }))).toEqual(['SEQ_FORK'])
    expect(await refused(sampleReceipt([...chain, other[4]!], { complete: [1, 5] }))).toEqual([
      'SEQ_ROLLBACK',
    ])
    const renamed = sampleReceipt(chain, { complete: [1] })
    expect(
      await refused({
        ...renamed,
        chains: [{ ...renamed.chains[0]!, id: '00000000-0000-4000-8000-000000000009' }],
      }),
    ).toEqual(['SEQ_WRONG_CHAIN'])
    await rm(chain[0]!.directory, { recursive: true })
    await rm(chain[1]!.directory, { recursive: true })
    expect(await refused(sampleReceipt(chain, { complete: [1] }))).toEqual(['SEQ_GAP'])
    expect(await refused(sampleReceipt([chain[0]!, other[2]!], { complete: [2] }))).toEqual(['SEQ_FORK'])
    // What follows is here, and says which one it follows; but what number 2 held nobody knows.
    const after = await plan([
      content,
      '--have',
      await receipt('lab.json', sampleReceipt(chain, { complete: [1, 2] })),
    ])
    expect(after).toMatchObject({ exit: 83, codes: ['SEQ_INCOMPLETE'] })
  })
})

describe('a plan is refused', () => {
  test('where nobody holds what is needed, with each shipment that lacks', async () => {
    const { content, chain } = await prepared([
      { holds: 'a' },
      { holds: 'b', borrows: 'x1 y1' },
      { holds: 'c', borrows: 'a1 b2 z2' },
    ])
    const ran = await plan([content, '--have-nothing'])
    expect(ran).toMatchObject({ exit: 83, codes: ['SEQ_INCOMPLETE', 'SEQ_INCOMPLETE'] })
    expect(ran.errors.map((error) => error.subject?.name)).toEqual(['seq1-sample', 'seq2-sample'])
    expect(chain).toHaveLength(3)
  })

  test('where a declared shipment is nowhere', async () => {
    const content = join(await scratch(), 'content')
    const one = await makeShipment(content, { number: 1 })
    await makeShipment(content, {
      number: 2,
      previous: one,
      dependencies: [{ sequence_number: 7, name: 'seq7-lost', metadata_digest: `sha256:${'0'.repeat(64)}` }],
    })
    const ran = await plan([content, '--have-nothing'])
    expect(ran).toMatchObject({
      exit: 83,
      codes: ['SEQ_INCOMPLETE'],
      errors: [{ subject: { name: 'seq7-lost' } }],
    })
  })

  test('where the links are broken', async () => {
    const { content, chain } = await prepared()
    await rm(chain[2]!.directory, { recursive: true })
    expect(await plan([content, '--have-nothing'])).toMatchObject({ exit: 81, codes: ['SEQ_GAP'] })
  })

  test('where a site that knows nothing could not begin', async () => {
    const { content, chain } = await prepared([
      { holds: 'a' },
      { holds: 'b', borrows: 'a1' },
      { holds: 'ab', extra: {} },
      { holds: 'c', borrows: 'a3 b3' },
    ])
    await rm(chain[0]!.directory, { recursive: true })
    const ran = await plan([content, '--have-nothing'])
    expect(carried(ran.plan)).toEqual([3, 4])
    expect(crossing(ran.plan)).toEqual([3, 4])
    await rm(chain[1]!.directory, { recursive: true })
    await rm(chain[2]!.directory, { recursive: true })
    const refused = await plan([content, '--have-nothing'])
    expect(refused).toMatchObject({ exit: 83 })
    const content2 = join(await scratch(), 'content')
    const lone = await sampleChain(content2, [{ holds: 'a' }, { holds: 'b', extra: { complete: false } }])
    await rm(lone[0]!.directory, { recursive: true })
    expect(await plan([content2, '--have-nothing'])).toMatchObject({ exit: 81, codes: ['SEQ_GAP'] })
  })

  test('where what has to cross is damaged: by names and sizes, with --verify by every byte', async () => {
    const { content, chain } = await prepared()
    const archive = (place: number): string => join(chain[place]!.directory, 'mirror_000001.tar')
    // What does not cross may be as it is.
    await truncate(archive(1), 10)
    expect(await plan([content, '--have-nothing'])).toMatchObject({ exit: 0 })
    await truncate(archive(0), 10)
    await rm(archive(2))
    await writeFile(join(chain[3]!.directory, 'more'), '')
    expect(await plan([content, '--have-nothing'])).toMatchObject({
      exit: 82,
      codes: ['SIZE_MISMATCH', 'FILE_MISSING', 'FILE_UNEXPECTED'],
      errors: chain
        .filter((_, place) => place !== 1)
        .map((one) => ({ subject: { name: one.metadata.name } })),
    })
  })

  test('where bytes were exchanged', async () => {
    const { content, chain } = await prepared()
    await writeFile(join(chain[0]!.directory, 'mirror_000001.tar'), 'y'.repeat(5000))
    expect(await plan([content, '--have-nothing'])).toMatchObject({ exit: 0 })
    expect(await plan([content, '--have-nothing', '--verify'])).toMatchObject({
      exit: 82,
      codes: ['DIGEST_MISMATCH'],
    })
    // An index says what is needed: it is always proven.
    await writeFile(join(chain[1]!.directory, 'blobs.ndjson'), '')
    expect(await plan([content, '--have-nothing'])).toMatchObject({ exit: 82, codes: ['DIGEST_MISMATCH'] })
    await rm(join(chain[1]!.directory, 'blobs.ndjson'))
    expect(await plan([content, '--have-nothing'])).toMatchObject({ exit: 82, codes: ['FILE_MISSING'] })
  })

  test('for a site that a shipment is not for, or with names that the media cannot hold', async () => {
    const { content } = await prepared([
      { holds: 'a' },
      { holds: 'b', extra: { site: ['lab'] } },
      { holds: 'c', borrows: 'a1' },
    ])
    const flags = [content, '--have-nothing', '--site', 'plant']
    expect(await plan(flags)).toMatchObject({ exit: 0 })
    expect(await plan([...flags, '--target', 'sample=2'])).toMatchObject({
      exit: 81,
      codes: ['SEQ_WRONG_SITE'],
    })
    const odd = join(await scratch(), 'odd')
    await makeShipment(odd, { number: 1, files: { 'what?': 'x' } })
    expect(await plan([odd, '--have-nothing', '--media', 'usb:1GB'])).toMatchObject({
      exit: 73,
      codes: ['MEDIA_NAME_REFUSED'],
    })
    expect(await plan([odd, '--have-nothing', '--media', 'usb:1GB', '--filesystem', 'ext4'])).toMatchObject({
      exit: 0,
    })
  })
})

test('the table says what to carry and what to type, with the real paths', async () => {
  const { dir, content, chain, receipt } = await prepared()
  const file = await receipt("lab's.json", sampleReceipt(chain, { complete: [1] }))
  const { stdout, exit } = await runInProcess(command, [
    content,
    '--have',
    file,
    '--media',
    '300kB',
    '--media',
    `dir:${dir}`,
    '--rate',
    '10kB',
    '-o',
    'table',
  ])
  expect(exit).toBe(0)
  const lines = stdout.split('\n')
  const sending = lines.find((line) => line.startsWith('transfer-plan '))!
  expect(sending).toContain(content)
  expect(sending).toContain(String.raw`lab'\''s.json`)
  expect(lines.some((line) => line.startsWith('transfer-pack plan.json'))).toBe(true)
  expect(lines.some((line) => line.startsWith('transfer-unpack '))).toBe(true)
  for (const name of ['seq3-sample', 'seq4-sample', 'difference', 'sequence-by-sequence'])
    expect(stdout).toContain(name)
})

test('documents in YAML do as well', async () => {
  const { content, chain } = await prepared()
  const file = join(chain[3]!.directory, 'seq-metadata.yaml')
  expect(readDocuments(await readFile(file), file)).toHaveLength(1)
  expect(carried((await plan([file, '--have-nothing'])).plan)).toEqual([1, 3, 4])
  expect(content).not.toBe('')
})
