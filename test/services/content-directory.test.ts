import { cp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Sequence } from '@carryall/schemas'
import { sampleImage } from '@carryall/oci/testing'
import { startLane, type Lane } from '../support/lane.ts'
import { failure, failureErrors, only } from '../support/ran.ts'
import type { Named } from '../support/sample-set.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { treeOf } from '../support/storage.ts'
import { mirrorSeq, seqMeta, seqPush } from '../support/tools.ts'

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
})

afterAll(() => lane[Symbol.asyncDispose]())

beforeEach(async () => {
  scratch = await makeScratch()
  content = scratch.at('content')
  await grow(1)
  await grow(2)
})

afterEach(() => scratch[Symbol.asyncDispose]())

const mirror = (...flags: readonly string[]) => mirrorSeq(['-c', lane.config, '--content', content, ...flags])

/** The next sequence: the first `count` images. */
async function grow(count: number, ...flags: readonly string[]): Promise<Sequence> {
  await lane.configure(images.slice(0, count))
  return only<Sequence>(await mirror('--description', `n${count}`, ...flags)).document
}

/** `mirror-seq` is refused with `codes`, and the directory is as it was. */
async function expectRefused(codes: readonly (string | number)[]): Promise<void> {
  await lane.configure(images)
  const published = async () =>
    Object.entries(await treeOf(content)).filter(([name]) => !name.startsWith('.carryall/'))
  const before = await published()
  const ran = await mirror()
  expect(failure(ran)).toEqual(codes)
  expect(failureErrors(ran)[0]!.hint).toBeDefined()
  expect(await published()).toEqual(before)
}

describe('a content directory', () => {
  test('that was copied is not written to until --take-over says that it is the one', async () => {
    const copy = scratch.at('copy')
    await cp(content, copy, { recursive: true, preserveTimestamps: true })
    content = copy
    await expectRefused([81, 'SEQ_COPIED'])
    // Reading it is no matter.
    expect((await seqMeta(['verify', content])).exit).toBe(0)
    expect((await grow(3, '--take-over')).sequence_number).toBe(3)
    await lane.configure(images.slice(0, 2))
    expect(only(await mirror()).result.changed).toBe(true)
  })

  test('that was put back from a backup in its own place is refused, too', async () => {
    const aside = scratch.at('aside')
    await cp(content, aside, { recursive: true, preserveTimestamps: true })
    await grow(3)
    await rm(content, { recursive: true })
    await rename(aside, content)
    await expectRefused([81, 'SEQ_COPIED'])
  })

  test('that was moved by rename is the same', async () => {
    await rename(content, scratch.at('elsewhere'))
    content = scratch.at('elsewhere')
    expect((await grow(3)).sequence_number).toBe(3)
  })

  test('whose newest sequence is gone is not continued', async () => {
    await rm(join(content, 'seq2-n2'), { recursive: true })
    await expectRefused([81, 'SEQ_ROLLBACK'])
  })

  test('of which a sequence in the middle is gone is not continued', async () => {
    await grow(3)
    await rm(join(content, 'seq2-n2'), { recursive: true })
    await expectRefused([81, 'SEQ_GAP'])
  })

  test('without its first sequence is not continued', async () => {
    await rm(join(content, 'seq1-n1'), { recursive: true })
    await expectRefused([81, 'SEQ_GAP'])
  })

  test('whose head was taken away is a copy', async () => {
    await rm(join(content, '.carryall', 'head.json'))
    await expectRefused([81, 'SEQ_COPIED'])
  })

  test('whose head is damaged is not written to', async () => {
    await writeFile(join(content, '.carryall', 'head.json'), '{"sequence')
    await expectRefused([81, 'SEQ_COPIED'])
    for (const nonsense of ['null', '[]', '{}', '{"sequence_number":"2"}']) {
      await writeFile(join(content, '.carryall', 'head.json'), nonsense)
      await expectRefused([81, 'SEQ_COPIED'])
    }
  })

  test('that has a sequence of another chain is not continued', async () => {
    const own = content
    content = scratch.at('other')
    await grow(1)
    await cp(join(content, 'seq1-n1'), join(own, 'seq3-stray'), { recursive: true })
    content = own
    await expectRefused([81, 'SEQ_WRONG_CHAIN'])
  })
})

describe('a chain', () => {
  const edit = async (name: string, change: (text: string) => string): Promise<void> => {
    const file = join(content, name, 'seq-metadata.yaml')
    await writeFile(file, change(await readFile(file, 'utf8')))
  }

  test('of which an earlier sequence was edited is broken for every tool', async () => {
    await edit('seq1-n1', (text) => text.replace(/^timestamp: .*$/m, "timestamp: '2020-01-01T00:00:00.000Z'"))
    await expectRefused([81, 'SEQ_FORK'])
    const verified = await seqMeta(['verify', content])
    // The edited one is damaged by its own sums, which weighs more than the broken link.
    expect(verified.exit).toBe(82)
    expect((await seqMeta(['verify', join(content, 'seq2-n2')])).exit).toBe(81)
    const pushed = await seqPush([content, `oci:${scratch.at('layout')}`])
    expect([81, 82]).toContain(pushed.exit)
    await expect(readdir(scratch.at('layout'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('with two sequences of one number is forked', async () => {
    // Both made from the same first sequence, each on a machine of its own.
    const here = content
    content = scratch.at('fork')
    await cp(here, content, { recursive: true, preserveTimestamps: true })
    await rm(join(content, 'seq2-n2'), { recursive: true })
    await rm(join(content, '.carryall'), { recursive: true })
    await lane.configure([images[0]!, images[2]!])
    only(await mirror('--description', 'fork', '--take-over'))
    await cp(join(content, 'seq2-fork'), join(here, 'seq2-fork'), { recursive: true })
    content = here
    await expectRefused([81, 'SEQ_FORK'])
    expect((await seqMeta(['verify', content])).exit).toBe(81)
    expect((await seqMeta(['list', content])).stderr).toContain('seq2-')
    const pushed = await seqPush([content, `oci:${scratch.at('layout')}`])
    expect(failure(pushed)).toEqual([81, 'SEQ_FORK'])
  })

  test('is listed by number, not by name', async () => {
    for (let count = 3; count <= 11; count += 1) {
      await lane.configure(count % 2 === 1 ? images : images.slice(0, 2))
      only(await mirror('--description', `n${count}`))
    }
    const ran = await seqMeta(['list', content])
    expect(ran.documents.map((document) => document['sequence_number'])).toEqual(
      Array.from({ length: 11 }, (_, index) => index + 1),
    )
    // From number 4 on there is nothing new: dependencies are no more than they have to be.
    const last = ran.documents.at(-1) as unknown as Sequence
    expect(last.dependencies.map((one) => one.sequence_number)).toEqual([1, 2, 3])
    expect((await seqMeta(['verify', content])).exit).toBe(0)
  })

  test('tells what changed from one sequence to another', async () => {
    const ran = await seqMeta(['diff', join(content, 'seq1-n1'), join(content, 'seq2-n2')])
    expect(only(ran).document).toMatchObject({
      kind: 'SequenceDiff',
      images: {
        unchanged: 1,
        added: [{ repository: 'two', tag: '1', digest: images[1]!.sample.descriptor.digest }],
        removed: [],
        moved: [],
      },
      versions: [{ repository: 'two', from: [], to: ['1'] }],
    })
  })
})

test('archives that are lent to nobody any more can go; what lends them says so', async () => {
  await grow(3, '--new-baseline')
  await rm(join(content, 'seq2-n2', 'mirror_000001.tar'))
  expect((await seqMeta(['verify', '--fast', join(content, 'seq3-n3')])).exit).toBe(0)
  expect((await seqMeta(['verify', '--fast', join(content, 'seq2-n2')])).exit).toBe(82)
  await lane.configure(images.slice(1))
  expect(only(await mirror()).result.changed).toBe(true)
})
