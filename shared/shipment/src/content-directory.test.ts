import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openContent, type ContentWriter } from './content-directory.ts'
import { makeShipment } from './testing/index.ts'

const options = { holder: 'test', waitSeconds: 0 }

async function contentDirectory(): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'content-'))
  onTestFinished(() => rm(parent, { recursive: true }))
  return join(parent, 'content')
}

/** Publishes the next shipment as a maker does: staged, then renamed. */
async function publish(writer: ContentWriter, number: number): Promise<void> {
  const staging = await writer.staging('0123456789abcdef')
  const previous = writer.shipments.at(-1)
  const staged = await makeShipment(staging, { number, ...(previous === undefined ? {} : { previous }) })
  await writer.publish(staged.directory, `seq${number}-sample`)
  await writer.discard(staging)
}

async function withWriter(
  content: string,
  work: (writer: ContentWriter) => Promise<void>,
  more = {},
): Promise<void> {
  const writer = await openContent(content, { ...options, ...more })
  try {
    await work(writer)
  } finally {
    await writer.close()
  }
}

async function chainOf(count: number): Promise<string> {
  const content = await contentDirectory()
  for (let number = 1; number <= count; number++)
    await withWriter(content, (writer) => publish(writer, number))
  return content
}

const refusal = (content: string): Promise<unknown> =>
  openContent(content, options).catch((error: unknown) => error)

test('continues its own chain', async () => {
  const content = await chainOf(3)
  await withWriter(content, async (writer) =>
    expect(writer.shipments.map((shipment) => shipment.metadata.name)).toEqual([
      'seq1-sample',
      'seq2-sample',
      'seq3-sample',
    ]),
  )
})

test('moves with its directory', async () => {
  const content = await chainOf(1)
  await rename(content, `${content}-moved`)
  await withWriter(`${content}-moved`, async (writer) => expect(writer.shipments).toHaveLength(1))
})

test('refuses a copy, with or without its own files, until it is taken over', async () => {
  const content = await chainOf(2)
  execFileSync('cp', ['-a', content, `${content}-copy`])
  expect(await refusal(`${content}-copy`)).toMatchObject({ code: 'SEQ_COPIED', exit: 81 })
  await rm(join(`${content}-copy`, '.carryall'), { recursive: true })
  expect(await refusal(`${content}-copy`)).toMatchObject({ code: 'SEQ_COPIED' })
  await withWriter(`${content}-copy`, (writer) => publish(writer, 3), { takeOver: true })
  await withWriter(`${content}-copy`, async (writer) => expect(writer.shipments).toHaveLength(3))
})

test('refuses where the newest shipment is gone, and where one in the middle is', async () => {
  const content = await chainOf(3)
  await rename(join(content, 'seq3-sample'), `${content}-3`)
  expect(await refusal(content)).toMatchObject({ code: 'SEQ_ROLLBACK' })
  await rename(`${content}-3`, join(content, 'seq3-sample'))
  await rename(join(content, 'seq2-sample'), `${content}-2`)
  expect(await refusal(content)).toMatchObject({ code: 'SEQ_GAP' })
})

test('refuses where the first shipments were not carried', async () => {
  const content = await chainOf(2)
  await rm(join(content, 'seq1-sample'), { recursive: true })
  expect(await refusal(content)).toMatchObject({ code: 'SEQ_GAP' })
})

test('refuses where the newest shipment was exchanged', async () => {
  const content = await chainOf(1)
  await rm(join(content, 'seq1-sample'), { recursive: true })
  await makeShipment(content, { number: 1, files: { other: 'other' } })
  expect(await refusal(content)).toMatchObject({ code: 'SEQ_FORK' })
})

test('goes on after a run that was cut between its rename and the record of it', async () => {
  const content = await chainOf(1)
  const before = await readFile(join(content, '.carryall/head.json'))
  await withWriter(content, (writer) => publish(writer, 2))
  await writeFile(join(content, '.carryall/head.json'), before)
  await withWriter(content, async (writer) => expect(writer.shipments).toHaveLength(2))
})

test('has one writer at a time, and needs nobody to clean up', async () => {
  const content = await chainOf(1)
  const writer = await openContent(content, options)
  expect(await refusal(content)).toMatchObject({ code: 'LOCK_HELD', exit: 75 })
  await writer.close()
  await withWriter(content, async () => undefined)
})

test('keeps staging of other runs apart and never publishes over a shipment', async () => {
  const content = await chainOf(1)
  await withWriter(content, async (writer) => {
    await writer.staging('a')
    await writer.staging('b')
    expect((await writer.leftovers('a')).map((path) => path.slice(path.lastIndexOf('/') + 1))).toEqual(['b'])
    const staged = await makeShipment(await writer.staging('a'), {
      number: 2,
      previous: writer.shipments[0]!,
    })
    await mkdir(join(content, 'seq2-sample'))
    await expect(writer.publish(staged.directory, 'seq2-sample')).rejects.toMatchObject({
      code: 'OUTPUT_EXISTS',
    })
  })
})
