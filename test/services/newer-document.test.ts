import { createHash } from 'node:crypto'
import { cp, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { sampleImage } from '@carryall/oci/testing'
import { startLane, type Lane } from '../support/lane.ts'
import { failure, failureErrors, only } from '../support/ran.ts'
import type { Named } from '../support/sample-set.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { mirrorSeq, seqMeta, seqPush } from '../support/tools.ts'

const images: readonly Named[] = ['one', 'two'].map((name) => ({
  repository: name,
  tag: '1',
  sample: sampleImage(name),
}))

let lane: Lane
let scratch: Scratch
let content: string
let directory: string

beforeAll(async () => {
  lane = await startLane(images)
  await lane.configure(images.slice(0, 1))
  only(await lane.mirror())
})

afterAll(() => lane[Symbol.asyncDispose]())

beforeEach(async () => {
  scratch = await makeScratch()
  content = scratch.at('content')
  directory = join(content, 'seq1-baseline')
  await cp(join(lane.content, 'seq1-baseline'), directory, { recursive: true })
})

afterEach(() => scratch[Symbol.asyncDispose]())

/** Writes the metadata as another release would have, with sums that are right. */
async function rewrite(change: (text: string) => string, name = 'seq-metadata.yaml'): Promise<void> {
  const bytes = Buffer.from(change(await readFile(join(directory, 'seq-metadata.yaml'), 'utf8')))
  await writeFile(join(directory, 'seq-metadata.yaml'), bytes)
  await rename(join(directory, 'seq-metadata.yaml'), join(directory, name))
  const sums = (await readFile(join(directory, 'SHA256SUMS'), 'utf8'))
    .split('\n')
    .filter((line) => line !== '' && !line.endsWith('seq-metadata.yaml'))
  const all = [...sums, `${createHash('sha256').update(bytes).digest('hex')}  ${name}`].toSorted((a, b) =>
    a.slice(66) < b.slice(66) ? -1 : 1,
  )
  await writeFile(join(directory, 'SHA256SUMS'), all.map((line) => `${line}\n`).join(''))
}

/** Every tool that reads the sequence, and what it says. */
async function readers(): Promise<readonly (readonly (string | number)[])[]> {
  const next = scratch.at('next.yaml')
  await lane.configure(images)
  await cp(lane.config, next)
  return Promise.all([
    seqMeta(['show', directory]).then(failure),
    seqMeta(['verify', content]).then(failure),
    seqMeta(['list', content]).then(failure),
    seqPush([directory, `oci:${scratch.at('layout')}`]).then(failure),
    mirrorSeq(['-c', next, '--content', content, '--take-over', '-n']).then(failure),
  ])
}

describe('a sequence that a newer release wrote', () => {
  test('is read where it only says more', async () => {
    await rewrite(
      (text) => `${text.replace(/^chain:$/m, 'chain:\n  colour: blue')}weather: fine\ncritical:\n  - chain\n`,
    )
    expect(await readers()).toEqual([[0], [0], [0], [0], [0]])
    // Nothing is lost on the way through.
    expect(only(await seqMeta(['show', directory])).document).toMatchObject({
      weather: 'fine',
      chain: { colour: 'blue' },
    })
  })

  test('is refused where it says that more must be understood, by the name of that', async () => {
    await rewrite((text) => `${text}weather: fine\ncritical:\n  - weather\n`)
    for (const said of await readers()) expect(said).toEqual([65, 'SCHEMA_NEWER'])
    const [error] = failureErrors(await seqMeta(['show', directory]))
    expect(error).toMatchObject({
      pointer: '#/critical',
      message: expect.stringContaining('weather') as string,
      hint: expect.stringContaining('release') as string,
    })
  })

  test('is refused where its version is another', async () => {
    await rewrite((text) => text.replace('carryall/v1', 'carryall/v2'))
    for (const said of await readers()) expect(said).toEqual([65, 'SCHEMA_NEWER'])
    expect(failureErrors(await seqMeta(['show', directory]))[0]).toMatchObject({
      pointer: '#/apiVersion',
      message: expect.stringContaining('carryall/v2') as string,
    })
  })
})

test('a shipment of a lane that this release does not know is checked by what all have in common', async () => {
  await rewrite((text) => text.replace('kind: Sequence', 'kind: RepoExport'), 'export-metadata.yaml')
  const { document } = only(await seqMeta(['verify', directory]))
  expect(document).toMatchObject({
    shipment: { kind: 'RepoExport', name: 'seq1-baseline' },
    faults: [],
    missing: [],
  })
  await writeFile(join(directory, 'mirror_000001.tar'), 'x')
  expect((await seqMeta(['verify', directory])).exit).toBe(82)
  // What cannot be pushed is refused by its kind.
  const pushed = await seqPush([directory, `oci:${scratch.at('layout')}`])
  expect(failure(pushed)).toEqual([65, 'SCHEMA_UNKNOWN_KIND'])
})

describe('a document on the pipe', () => {
  const piped = async (
    change: (document: Record<string, unknown>) => void,
  ): Promise<readonly (string | number)[]> => {
    const document = (await seqMeta(['show', directory])).documents[0]!
    change(document)
    return failure(await seqPush(['-', `oci:${scratch.at('layout')}`], { stdin: JSON.stringify(document) }))
  }

  test.each<[string, (document: Record<string, unknown>) => void, readonly (string | number)[]]>([
    ['as it came', () => {}, [0]],
    [
      'with keys that are not known',
      (document) =>
        Object.assign(document, { later: true, result: { ...(document['result'] as object), later: [1] } }),
      [0],
    ],
    [
      'that says that it failed',
      (document) => Object.assign(document['result'] as object, { ok: false }),
      [66, 'INPUT_REFUSED'],
    ],
    [
      'for another directory',
      (document) =>
        Object.assign(document['result'] as object, { metadata_digest: `sha256:${'0'.repeat(64)}` }),
      [82, 'DIGEST_MISMATCH'],
    ],
    [
      'for a directory that is not there',
      (document) => Object.assign(document['result'] as object, { directory: '/nonexistent/seq1-baseline' }),
      [66, 'INPUT_NOT_FOUND'],
    ],
    [
      'of a newer version',
      (document) => Object.assign(document, { apiVersion: 'carryall/v2' }),
      [65, 'SCHEMA_NEWER'],
    ],
    [
      'of another kind',
      (document) => Object.assign(document, { kind: 'Receipt' }),
      [65, 'SCHEMA_UNKNOWN_KIND'],
    ],
    [
      'with a key that has to be known',
      (document) => Object.assign(document, { critical: ['later'] }),
      [65, 'SCHEMA_NEWER'],
    ],
    ['that is not whole', (document) => void delete document['files'], [65, 'SCHEMA_INVALID']],
  ])('%s ends as it should', async (_name, change, expected) => {
    expect(await piped(change)).toEqual(expected)
  })

  test('is not believed beyond its place: what is read is the file', async () => {
    expect(
      await piped((document) =>
        Object.assign(document, { name: 'seq9-other', complete: false, dependencies: [], images: 0 }),
      ),
    ).toEqual([0])
  })
})

test('an ImageSetConfiguration with a key that is not known is refused with its place and what was meant', async () => {
  const file = scratch.at('isc.yaml')
  await writeFile(
    file,
    'kind: ImageSetConfiguration\napiVersion: mirror.openshift.io/v2alpha1\nmirror:\n  additionalImages:\n    - nmae: registry.example/app:1\n',
  )
  const ran = await mirrorSeq(['-c', file, '--content', scratch.at('new')])
  expect(failure(ran)).toEqual([65, 'SCHEMA_UNKNOWN_KEY'])
  expect(failureErrors(ran)[0]).toMatchObject({
    pointer: '#/mirror/additionalImages/0/nmae',
    hint: expect.stringContaining('name') as string,
  })
})
