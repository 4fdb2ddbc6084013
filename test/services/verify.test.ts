import { chmod, cp, mkdir, open, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Ran } from '@carryall/cli/testing'
import type { Verification } from '@carryall/schemas'
import { sampleImage } from '@carryall/oci/testing'
import { startLane, type Lane } from '../support/lane.ts'
import { only } from '../support/ran.ts'
import type { Named } from '../support/sample-set.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { seqMeta } from '../support/tools.ts'

const images: readonly Named[] = ['one', 'two', 'three'].map((name) => ({
  repository: name,
  tag: '1',
  sample: sampleImage(name),
}))

let lane: Lane
let scratch: Scratch
let content: string

beforeAll(async () => {
  lane = await startLane(images)
  for (const count of [1, 2, 3]) {
    await lane.configure(images.slice(0, count))
    only(await lane.mirror(['--description', `n${count}`]))
  }
})

afterAll(() => lane[Symbol.asyncDispose]())

beforeEach(async () => {
  scratch = await makeScratch()
  content = scratch.at('content')
  await cp(lane.content, content, { recursive: true, preserveTimestamps: true })
})

afterEach(() => scratch[Symbol.asyncDispose]())

const at = (...parts: readonly string[]) => join(content, ...parts)
const faultsOf = (ran: Ran) =>
  ran.documents.flatMap((document) =>
    (document as unknown as Verification).faults.map(({ code, path }) => [code, path]),
  )

async function flip(file: string, offset: number): Promise<void> {
  await using handle = await open(file, 'r+')
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, offset)
  await handle.write(Buffer.from([buffer[0]! ^ 1]), 0, 1, offset)
}

describe('seq-meta verify', () => {
  test.each<[string, (directory: string) => Promise<unknown>, (string | undefined)[][], boolean]>([
    [
      'an archive that is gone',
      (directory) => rm(join(directory, 'mirror_000001.tar')),
      [['FILE_MISSING', 'mirror_000001.tar']],
      true,
    ],
    [
      'an archive that is cut',
      (directory) => truncate(join(directory, 'mirror_000001.tar'), 3000),
      [['SIZE_MISMATCH', 'mirror_000001.tar']],
      true,
    ],
    [
      'a file too many',
      (directory) => writeFile(join(directory, 'notes.txt'), 'x'),
      [['FILE_UNEXPECTED', 'notes.txt']],
      true,
    ],
    [
      'a directory too many',
      async (directory) => {
        await mkdir(join(directory, 'sub'))
        await writeFile(join(directory, 'sub', 'x'), 'x')
      },
      [['FILE_UNEXPECTED', 'sub/x']],
      true,
    ],
    [
      'a link in the place of a file',
      async (directory) => {
        await rename(join(directory, 'imageset-config.yaml'), scratch.at('isc'))
        await symlink(scratch.at('isc'), join(directory, 'imageset-config.yaml'))
      },
      [['FILE_UNEXPECTED', 'imageset-config.yaml']],
      true,
    ],
    [
      'sums that are gone',
      (directory) => rm(join(directory, 'SHA256SUMS')),
      [['FILE_MISSING', 'SHA256SUMS']],
      true,
    ],
    [
      'a byte in a configuration',
      (directory) => flip(join(directory, 'imageset-config.yaml'), 10),
      [['DIGEST_MISMATCH', 'imageset-config.yaml']],
      false,
    ],
  ])('names %s', async (_name, damage, expected, alsoFast) => {
    await damage(at('seq1-n1'))
    const ran = await seqMeta(['verify', at('seq1-n1')])
    expect(ran.exit).toBe(82)
    expect(faultsOf(ran)).toEqual(expect.arrayContaining(expected))
    const fast = await seqMeta(['verify', '--fast', at('seq1-n1')])
    expect(fast.exit).toBe(alsoFast ? 82 : 0)
  })

  test('names every fault of every sequence, each once', async () => {
    await flip(at('seq1-n1', 'mirror_000001.tar'), 0)
    await flip(at('seq1-n1', 'imageset-config.yaml'), 1)
    await flip(at('seq3-n3', 'images.ndjson'), 30)
    const ran = await seqMeta(['verify', content])
    expect(ran.exit).toBe(82)
    expect(ran.documents.map((document) => (document['result'] as { ok: boolean }).ok)).toEqual([
      false,
      true,
      false,
    ])
    const said = ran.documents.map((document) =>
      (document as unknown as Verification).faults.map(({ path }) => path),
    )
    expect(said[0]).toEqual(expect.arrayContaining(['imageset-config.yaml', 'mirror_000001.tar']))
    expect(said[2]).toContain('images.ndjson')
    for (const name of ['imageset-config.yaml', 'mirror_000001.tar', 'images.ndjson'])
      expect(ran.stderr).toContain(name)
  })

  test('says what is missing: 83, with the name of the sequence and its bytes', async () => {
    await rm(at('seq1-n1'), { recursive: true })
    const ran = await seqMeta(['verify', at('seq2-n2')])
    expect(ran.exit).toBe(83)
    expect(only<Verification>(ran, 83).document).toMatchObject({
      complete: false,
      faults: [],
      missing: [
        {
          sequence_number: 1,
          name: 'seq1-n1',
          size_bytes:
            images[0]!.sample.manifest.bytes.length +
            images[0]!.sample.blobs.reduce((sum, blob) => sum + blob.bytes.length, 0),
        },
      ],
    })
    // Elsewhere it is.
    expect((await seqMeta(['verify', at('seq2-n2'), '--content', lane.content])).exit).toBe(0)
  })

  test('takes a lender without its archive for one that is missing', async () => {
    await rm(at('seq1-n1', 'mirror_000001.tar'))
    expect(only<Verification>(await seqMeta(['verify', at('seq2-n2')]), 83).document.missing).toMatchObject([
      { name: 'seq1-n1' },
    ])
  })

  test('of a gap says so, and of the rest nothing else', async () => {
    await rm(at('seq2-n2'), { recursive: true })
    const ran = await seqMeta(['verify', content])
    // The third borrows from the second: incomplete, and behind a gap, which weighs more.
    expect(ran.exit).toBe(81)
    expect(faultsOf(ran)).toEqual([['SEQ_GAP', undefined]])
  })

  test('prints a table for people', async () => {
    const ran = await seqMeta(['verify', content, '-o', 'table'])
    expect(ran.stdout).toMatch(
      /^NAME +MODE +FILES +BLOBS +SIGNERS +FAULTS +MISSING +RESULT\nseq1-n1 +full .* whole\n/,
    )
  })

  test('needs no more than to read', async () => {
    for (const name of ['seq1-n1', 'seq2-n2', 'seq3-n3']) await chmod(at(name), 0o555)
    const before = await readFile(at('seq1-n1', 'SHA256SUMS'))
    expect((await seqMeta(['verify', content])).exit).toBe(0)
    expect(await readFile(at('seq1-n1', 'SHA256SUMS'))).toEqual(before)
    for (const name of ['seq1-n1', 'seq2-n2', 'seq3-n3']) await chmod(at(name), 0o755)
  })
})

test('seq-meta diff tells images, versions, bytes and configuration', async () => {
  const { document } = only(await seqMeta(['diff', at('seq1-n1'), at('seq3-n3')]))
  const added = images.slice(1)
  const name = (image: Named) => `${lane.source.host}~1${image.repository}:1`
  expect(document).toMatchObject({
    images: {
      unchanged: 1,
      added: added
        .map(({ repository, sample }) => ({ repository, tag: '1', digest: sample.descriptor.digest }))
        .toSorted((a, b) => (a.repository < b.repository ? -1 : 1)),
      removed: [],
      moved: [],
    },
    blobs: { removed: 0, added: added.reduce((sum, { sample }) => sum + 1 + sample.blobs.length, 0) },
    configuration: added
      .map((image) => ({
        pointer: `#/mirror/additionalImages/${name(image)}/name`,
        to: `${lane.source.host}/${image.repository}:1`,
      }))
      .toSorted((a, b) => (a.pointer < b.pointer ? -1 : 1)),
  })
  const back = only(await seqMeta(['diff', at('seq3-n3'), at('seq1-n1')])).document
  expect(back).toMatchObject({
    images: { added: [], removed: [{ repository: 'three' }, { repository: 'two' }] },
  })
})
