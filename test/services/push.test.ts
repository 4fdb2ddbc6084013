import { cp, mkdir, open, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { BlobLine, PushReport, Receipt, Sequence } from '@carryall/schemas'
import {
  pushSample,
  sampleArtifact,
  sampleImage,
  sampleIndex,
  sampleLayer,
  startDockerRegistry,
  type DockerRegistry,
  type Sample,
} from '@carryall/oci/testing'
import { startLane, type Lane } from '../support/lane.ts'
import { failure, failureErrors, only } from '../support/ran.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { servedDuring, writes } from '../support/served.ts'
import { startServing } from '../support/serving.ts'
import { rawManifest } from '../support/skopeo.ts'
import { treeOf } from '../support/storage.ts'
import { openStores } from '../support/stores.ts'
import { mirrorSeq, seqPush } from '../support/tools.ts'

const base = sampleLayer('base layer', 40_000)
const app = ['one', 'two', 'three'].map((version) =>
  sampleImage(`app ${version}`, { layers: [600], shared: [base] }),
)
const other = sampleImage('other')
const fresh = sampleImage('fresh')

let lane: Lane
let target: DockerRegistry
let scratch: Scratch
const sequences: { directory: string; document: Sequence }[] = []

/**
 * seq1: app:v is `one`, gone:1 is `one`; seq2: app:v is `two`, gone:1 is `three`, and fresh; seq3: app:v is `one` again,
 * gone:1 is no longer asked for. other:1 stays, and has a second name in seq2.
 */
beforeAll(async () => {
  lane = await startLane([
    { repository: 'other', tag: '1', sample: other },
    { repository: 'fresh', tag: '1', sample: fresh },
  ])
  const at = (name: string) => `${lane.source.host}/${name}`
  const steps = [
    { app: app[0]!, gone: app[0]!, images: [at('app:v'), at('other:1'), at('gone:1')] },
    {
      app: app[1]!,
      gone: app[2]!,
      images: [
        at('app:v'),
        at('other:1'),
        at('gone:1'),
        at('fresh:1'),
        { name: at('other:1'), targetRepo: 'renamed/other' },
      ],
    },
    { app: app[0]!, gone: app[2]!, images: [at('app:v'), at('other:1')] },
  ]
  for (const step of steps) {
    await lane.publish([
      { repository: 'app', tag: 'v', sample: step.app },
      { repository: 'gone', tag: '1', sample: step.gone },
    ])
    await lane.configure(step.images)
    const { document, result } = only<Sequence>(
      await lane.mirror(['--description', `n${sequences.length + 1}`]),
    )
    sequences.push({ document, directory: result.directory })
  }
})

afterAll(() => lane[Symbol.asyncDispose]())

beforeEach(async () => {
  target = await startDockerRegistry()
  scratch = await makeScratch()
})

afterEach(async () => {
  await target.stop()
  await scratch[Symbol.asyncDispose]()
})

const push = (...argv: readonly string[]) => seqPush([...argv, `docker://${target.host}`])

/** A content directory with some of the sequences, as it looks after a trip. */
async function carry(...numbers: readonly number[]): Promise<string> {
  const content = scratch.at(`carried-${numbers.join('-')}`)
  await mkdir(content)
  for (const number of numbers) {
    const { directory, document } = sequences[number - 1]!
    await cp(directory, join(content, document.name), { recursive: true, preserveTimestamps: true })
  }
  return content
}

async function put(repository: string, tag: string, sample: Sample): Promise<void> {
  const stores = await openStores()
  await pushSample(stores.registry(target.host), repository, sample, tag)
  await stores.close()
}

const digestAt = async (name: string): Promise<string> => {
  const answer = await fetch(`${target.url}/v2/${name.replace(':', '/manifests/')}`, {
    method: 'HEAD',
    headers: {
      accept: 'application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json',
    },
  })
  return answer.headers.get('docker-content-digest') ?? 'none'
}

describe('a push of which a sequence is missing', () => {
  test('names it, and leaves the destination as it was', async () => {
    await put('somewhere', '1', sampleImage('before'))
    const before = await treeOf(target.storage)
    const content = await carry(2)
    let ran: Awaited<ReturnType<typeof push>> | undefined
    const served = await servedDuring(target, async () => (ran = await push(content)))
    expect(failure(ran!)).toEqual([83, 'SEQ_INCOMPLETE'])
    const [error] = failureErrors(ran!)
    expect(error!.message).toContain('seq1-n1')
    expect(error!.hint).toContain('seq1-n1')
    expect(writes(served)).toEqual([])
    expect(await treeOf(target.storage)).toEqual(before)
    // The same is said beforehand.
    expect(failure(await push(content, '-n'))).toEqual([83, 'SEQ_INCOMPLETE'])
    // With the sequence beside it, or found by --content, it works.
    const whole = await carry(1, 2)
    expect(
      only<PushReport>(await push(join(content, 'seq2-n2'), '--content', whole)).document.totals,
    ).toMatchObject({ pushed: 5 })
  })

  test('works where the destination holds its blobs, in whatever repository of the set, and mounts them', async () => {
    only(await push(await carry(1)))
    let ran: Awaited<ReturnType<typeof push>> | undefined
    const served = await servedDuring(target, async () => (ran = await push(await carry(2))))
    // Tags that seq1 put there, which is not here to say so, stay.
    const { document } = only<PushReport>(ran!, 84)
    expect(
      document.images.map(({ reference, outcome }) => [reference.split('/').slice(1).join('/'), outcome]),
    ).toEqual([
      ['app:v', 'conflict'],
      ['fresh:1', 'pushed'],
      ['gone:1', 'conflict'],
      ['other:1', 'same'],
      ['renamed/other:1', 'pushed'],
    ])
    expect(document.totals).toMatchObject({ blobs_mounted: 3, blobs_uploaded: 3 })
    expect(
      served.filter(
        ({ method, path }) =>
          method === 'POST' && path.includes('renamed/other') && path.includes('from=other'),
      ),
    ).toHaveLength(3)
    expect(await rawManifest(`docker://${target.host}/renamed/other:1`)).toEqual(other.manifest.bytes)
    // With the sequence that put them there beside it they move.
    const moved = only<PushReport>(await push(join(await carry(1, 2), 'seq2-n2'))).document
    expect(moved.totals).toMatchObject({ moved: 2, same: 3, conflicts: 0 })
    expect(await digestAt('app:v')).toBe(app[1]!.descriptor.digest)
  })
})

describe('a tag', () => {
  test('is pushed once, however often its sequence is named', async () => {
    const content = await carry(1)
    const { document } = only<PushReport>(await push(content, join(content, 'seq1-n1')))
    expect(document.sequences).toHaveLength(1)
    expect(document.totals).toMatchObject({ images: 3, pushed: 3 })
  })

  test('that someone else put there is left as it is; the others are pushed', async () => {
    const mine = sampleImage('by hand')
    await put('app', 'v', mine)
    const ran = await push(await carry(1))
    const { document, result } = only<PushReport>(ran, 84)
    expect(result).toMatchObject({ ok: false, changed: true })
    expect(document.images).toMatchObject([
      { reference: `${target.host}/app:v`, outcome: 'conflict', previous_digest: mine.descriptor.digest },
      { reference: `${target.host}/gone:1`, outcome: 'pushed' },
      { reference: `${target.host}/other:1`, outcome: 'pushed' },
    ])
    expect(ran.stderr).toContain('TAG_CONFLICT')
    expect(await digestAt('app:v')).toBe(mine.descriptor.digest)
    expect(await rawManifest(`docker://${target.host}/other:1`)).toEqual(other.manifest.bytes)
  })

  test('that an earlier sequence put there moves', async () => {
    only(await push(await carry(1)))
    const { document, result } = only<PushReport>(await push(await carry(1, 2)))
    expect(result).toMatchObject({ ok: true, changed: true })
    expect(document.images.find((image) => image.reference.endsWith('app:v'))).toMatchObject({
      outcome: 'moved',
      previous_digest: app[0]!.descriptor.digest,
    })
    expect(document.totals).toMatchObject({ moved: 2, pushed: 2, same: 1 })
  })

  test('that a later sequence put there is not taken back', async () => {
    const content = await carry(1, 2)
    only(await push(content))
    const { document } = only<PushReport>(await push(join(content, 'seq1-n1')), 84)
    expect(document.totals).toMatchObject({ conflicts: 2, same: 1, moved: 0 })
    expect(await digestAt('app:v')).toBe(app[1]!.descriptor.digest)
  })

  test('follows sequences that are pushed one by one, forth and back', async () => {
    const content = await carry(1, 2, 3)
    for (const [index, sequence] of ['seq1-n1', 'seq2-n2', 'seq3-n3'].entries()) {
      only<PushReport>(await push(join(content, sequence)))
      expect(await digestAt('app:v')).toBe(app[index % 2]!.descriptor.digest)
    }
  })

  test('of an older sequence is not taken back by pushing it together with a newer one', async () => {
    const content = await carry(1, 2, 3)
    only(await push(content))
    const { document } = only<PushReport>(await push(join(content, 'seq1-n1'), join(content, 'seq3-n3')), 84)
    expect(document.images.find((image) => image.reference.endsWith('gone:1'))).toMatchObject({
      outcome: 'conflict',
    })
    expect(await digestAt('gone:1')).toBe(app[2]!.descriptor.digest)
  })
})

describe('damage', () => {
  test.each([0, 1])(
    'in an archive is found while it is pushed, and no tag is written (%s)',
    async (which) => {
      const content = await carry(1)
      const directory = join(content, 'seq1-n1')
      const lines = (await readFile(join(directory, 'blobs.ndjson'), 'utf8'))
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Extract<BlobLine, { archive: string }>)
      // A layer, then a manifest.
      const blob = lines.find(({ media_type }) => media_type.includes(which === 0 ? 'layer' : 'manifest'))!
      const handle = await open(join(directory, blob.archive), 'r+')
      const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, blob.offset + 5)
      await handle.write(Buffer.from([buffer[0]! ^ 1]), 0, 1, blob.offset + 5)
      await handle.close()
      expect(failure(await push(content))).toEqual([82, 'DIGEST_MISMATCH'])
      for (const name of ['app', 'other']) {
        const answer = await fetch(`${target.url}/v2/${name}/tags/list`)
        expect(
          answer.status === 404 || ((await answer.json()) as { tags: string[] | null }).tags === null,
        ).toBe(true)
      }
    },
  )

  test.each(['images.ndjson', 'blobs.ndjson', 'imageset-config.yaml', 'SHA256SUMS', 'seq-metadata.yaml'])(
    'in %s is found before anything is asked of the destination',
    async (name) => {
      const content = await carry(1)
      const file = join(content, 'seq1-n1', name)
      const bytes = await readFile(file)
      const handle = await open(file, 'r+')
      const at = bytes.indexOf(/[0-9a-f]{40}/.exec(bytes.toString())?.[0] ?? 'mirror')
      await handle.write(Buffer.from([bytes[at]! ^ 1]), 0, 1, at)
      await handle.close()
      let ran: Awaited<ReturnType<typeof push>> | undefined
      const served = await servedDuring(target, async () => (ran = await push(content)))
      expect([82, 65, 81]).toContain(ran!.exit)
      expect(served).toEqual([])
    },
  )

  test('an archive that is not there is a sequence that is missing, unless the destination has all of it', async () => {
    const whole = await carry(1)
    const content = scratch.at('without')
    await cp(whole, content, { recursive: true })
    await rm(join(content, 'seq1-n1', 'mirror_000001.tar'))
    const ran = await push(content)
    expect(failure(ran)).toEqual([83, 'SEQ_INCOMPLETE'])
    expect(failureErrors(ran)[0]!.message).toContain('seq1-n1')
    expect(await (await fetch(`${target.url}/v2/_catalog`)).json()).toEqual({ repositories: [] })
    only(await push(whole))
    expect(only(await push(content)).result.changed).toBe(false)
  })

  test('in the index of an earlier sequence counts as well: it says where blobs are and which tags may move', async () => {
    const content = await carry(1, 2)
    const file = join(content, 'seq1-n1', 'images.ndjson')
    await writeFile(
      file,
      (await readFile(file, 'utf8')).replaceAll(app[0]!.descriptor.digest, app[2]!.descriptor.digest),
    )
    expect(failure(await push(join(content, 'seq2-n2')))).toEqual([82, 'DIGEST_MISMATCH'])
  })

  test('an archive that is cut is not taken for one that is missing', async () => {
    const content = await carry(1)
    await truncate(join(content, 'seq1-n1', 'mirror_000001.tar'), 5000)
    expect(failure(await push(content))).toEqual([82, 'SIZE_MISMATCH'])
    expect(await (await fetch(`${target.url}/v2/_catalog`)).json()).toEqual({ repositories: [] })
  })
})

describe('a sequence that was not meant for here and now', () => {
  const made = async (...flags: readonly string[]): Promise<string> => {
    await lane.configure([`${lane.source.host}/other:1`])
    const content = scratch.at('content')
    return only<Sequence>(await mirrorSeq(['-c', lane.config, '--content', content, ...flags])).result
      .directory
  }
  const later = (days: number) => ({ now: () => new Date(Date.now() + days * 86_400_000) })

  test('because it has expired is refused; one that is superseded may have', async () => {
    const directory = await made('--expires', '90d')
    expect(only(await push(directory)).result.changed).toBe(true)
    expect(failure(await seqPush([directory, `docker://${target.host}`], later(91)))).toEqual([
      81,
      'SEQ_EXPIRED',
    ])
    await lane.configure([`${lane.source.host}/other:1`, `${lane.source.host}/fresh:1`])
    only(await mirrorSeq(['-c', lane.config, '--content', scratch.at('content'), '--expires', '200d']))
    expect(
      only(await seqPush([scratch.at('content'), `docker://${target.host}`], later(91))).result.changed,
    ).toBe(true)
  })

  test('because it is for other sites is refused where the site is told', async () => {
    const directory = await made('--site', 'plant-a', '--site', 'plant-b')
    const ran = await push(directory, '--site', 'plant-c')
    expect(failure(ran)).toEqual([81, 'SEQ_WRONG_SITE'])
    expect(failureErrors(ran)[0]!.message).toContain('plant-a, plant-b')
    expect(await (await fetch(`${target.url}/v2/_catalog`)).json()).toEqual({ repositories: [] })
    expect(only(await push(directory, '--site', 'plant-b')).result.changed).toBe(true)
  })
})

describe('a receipt', () => {
  // What no other image of the set has.
  const ownBytes = ({ manifest, blobs }: Sample): number =>
    manifest.bytes.length +
    blobs.filter((blob) => blob !== base).reduce((sum, blob) => sum + blob.bytes.length, 0)
  const receipt = async (): Promise<Receipt> =>
    JSON.parse(await readFile(scratch.at('receipt.json'), 'utf8')) as Receipt
  const pushed = (...argv: readonly string[]) => push(...argv, '--receipt', scratch.at('receipt.json'))

  test('says what the destination holds', async () => {
    const { result } = only(await pushed(await carry(1, 2), '--site', 'plant-a'))
    expect(result.receipt).toBe(scratch.at('receipt.json'))
    expect(await receipt()).toMatchObject({
      kind: 'Receipt',
      site: 'plant-a',
      holds: 'registry',
      chains: [
        {
          ...sequences[0]!.document.chain,
          head: { sequence_number: 2, metadata_digest: sequences[2]!.document.previous },
          shipments: [
            // Of number 1 only what number 2 has no more: the image that app:v was.
            {
              sequence_number: 1,
              metadata_digest: sequences[1]!.document.previous,
              state: 'partial',
              missing_bytes: ownBytes(app[0]!),
            },
            {
              sequence_number: 2,
              metadata_digest: sequences[2]!.document.previous,
              state: 'complete',
              missing_bytes: 0,
            },
          ],
        },
      ],
    })
    // Nothing of the inventory is in it.
    expect(await readFile(scratch.at('receipt.json'), 'utf8')).not.toMatch(/app|fresh|other/)
  })

  test('is asked of the destination, not remembered: what was deleted there is missing', async () => {
    const all = await carry(1, 2)
    only(await pushed(join(all, 'seq1-n1')))
    expect((await receipt()).chains[0]).toMatchObject({
      // The newest that is known here: its metadata need not be carried again.
      head: { sequence_number: 2 },
      shipments: [{ state: 'complete' }, { state: 'partial' }],
    })
    only(await pushed(all))
    expect((await receipt()).chains[0]).toMatchObject({
      head: { sequence_number: 2 },
      shipments: [{ state: 'complete' }, { state: 'complete' }],
    })
    await fetch(`${target.url}/v2/fresh/manifests/${fresh.descriptor.digest}`, { method: 'DELETE' })
    only(await pushed(join(all, 'seq1-n1')), 84)
    expect((await receipt()).chains[0]).toMatchObject({
      head: { sequence_number: 2 },
      shipments: [
        { state: 'complete', missing_bytes: 0 },
        { state: 'partial', missing_bytes: ownBytes(fresh) },
      ],
    })
  })

  test('of a push with a conflict tells the truth', async () => {
    await put('app', 'v', sampleImage('by hand'))
    await put('gone', '1', sampleImage('by hand'))
    only(await pushed(await carry(1)), 84)
    // The image is there under neither of its names, and not by its digest either.
    expect((await receipt()).chains).toMatchObject([
      { head: { sequence_number: 1 }, shipments: [{ sequence_number: 1, state: 'partial' }] },
    ])
  })

  test('is not written by --dry-run, nor anything else', async () => {
    const served = await servedDuring(target, async () => {
      const { document, result } = only<PushReport>(await pushed(await carry(1), '-n'))
      expect(result).toMatchObject({ ok: true, changed: true })
      expect(document.totals).toMatchObject({ pushed: 3 })
    })
    expect(writes(served)).toEqual([])
    await expect(readFile(scratch.at('receipt.json'))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('what is attached to an image that is named by its digest alone', () => {
  const index = sampleIndex([sampleImage('pinned'), sampleImage('pinned-arm', { architecture: 'arm64' })])
  const signature = sampleArtifact('pinned signature', index.descriptor)
  const tag = index.descriptor.digest.replace(':', '-')
  let content: string

  beforeEach(async () => {
    await using source = await startServing(scratch.at('source'))
    await pushSample(source.store, 'pinned', index)
    await pushSample(source.store, 'pinned', signature)
    await using own = await startLane([])
    await own.configure([`${source.host}/pinned@${index.descriptor.digest}`])
    const { document, result } = only<Sequence>(await own.mirror())
    expect(document.images).toBe(2)
    content = scratch.at('pinned')
    await cp(result.directory, content, { recursive: true })
  })

  test('lands where there is a referrers API', async () => {
    await using there = await startServing(scratch.at('there'))
    expect(
      only<PushReport>(await seqPush([content, `docker://${there.host}`])).document.totals,
    ).toMatchObject({ pushed: 2 })
    expect(await rawManifest(`docker://${there.host}/pinned:${tag}`)).toEqual(index.manifest.bytes)
    expect((await there.store.referrers('pinned', index.descriptor.digest)).map((one) => one.digest)).toEqual(
      [signature.descriptor.digest],
    )
  })

  test('never changes the image where the same tag is for referrers, and says that it is not listed', async () => {
    for (const again of [false, true]) {
      const ran = await push(content)
      const { document } = only<PushReport>(ran, 1)
      expect(document.images.find((image) => image.digest === index.descriptor.digest)).toMatchObject({
        outcome: again ? 'same' : 'pushed',
      })
      expect(document.images.find((image) => image.digest === signature.descriptor.digest)).toMatchObject({
        outcome: 'failed',
        error: { code: 'TAG_CONFLICT' },
      })
      expect(await rawManifest(`docker://${target.host}/pinned:${tag}`)).toEqual(index.manifest.bytes)
    }
  })
})
