import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ImageLine, MirrorPlan, PushReport, Sequence } from '@carryall/schemas'
import type { Destination } from '@carryall/oci'
import {
  pushSample,
  sampleBlob,
  sampleImage,
  sampleIndex,
  startDockerRegistry,
  type DockerRegistry,
} from '@carryall/oci/testing'
import { hash } from 'node:crypto'
import { startLane, type Lane } from '../support/lane.ts'
import { failure, failureErrors, only } from '../support/ran.ts'
import { attachments, baseImages, nameOf } from '../support/sample-set.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { startServing } from '../support/serving.ts'
import { servedDuring } from '../support/served.ts'
import { copyAll, rawManifest } from '../support/skopeo.ts'
import { mirrorSeq, seqMeta, seqPush } from '../support/tools.ts'

let lane: Lane
let target: DockerRegistry
let scratch: Scratch
let content: string

beforeAll(async () => {
  lane = await startLane([...baseImages, ...attachments])
  target = await startDockerRegistry()
  return async () => {
    await lane[Symbol.asyncDispose]()
    await target.stop()
  }
})

beforeEach(async () => {
  scratch = await makeScratch()
  content = scratch.at('content')
})

afterEach(() => scratch[Symbol.asyncDispose]())

const [app, multi] = [baseImages[0]!, baseImages[1]!]
const mirror = (...flags: readonly string[]) => mirrorSeq(['-c', lane.config, '--content', content, ...flags])

async function images(directory: string): Promise<readonly ImageLine[]> {
  const text = await readFile(join(directory, 'images.ndjson'), 'utf8')
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as ImageLine)
}

async function mirrored(...flags: readonly string[]): Promise<readonly string[]> {
  const { result } = only(await mirror(...flags))
  return (await images(result.directory)).map(
    ({ repository, tag, digest }) => `${repository}${tag === undefined ? `@${digest}` : `:${tag}`}`,
  )
}

describe('names at the destination', () => {
  const at = (image: typeof app) => `${lane.source.host}/${image.repository}`

  test('follow oc-mirror: path, targetRepo, targetTag, and a tag made of a digest', async () => {
    const { digest } = multi.sample.descriptor
    await lane.configure([
      app,
      { name: `docker://${at(app)}:1.0`, targetRepo: 'renamed/app' },
      { name: `${at(app)}:1.0`, targetTag: 'stable' },
      `${at(app)}@${digest}`,
      { name: `${at(app)}@${digest}`, targetRepo: 'pinned', targetTag: 'v2' },
      `${at(app)}:both@${digest}`,
    ])
    expect(await mirrored('--remove-signatures')).toEqual([
      'pinned:v2',
      'renamed/app:1.0',
      'team/app:1.0',
      'team/app:both',
      `team/app:${digest.replace(':', '-')}`,
      'team/app:stable',
    ])
    const report = only<PushReport>(await seqPush([content, `docker://${target.host}/mirror/one`])).document
    expect(report.images.map((image) => image.reference)).toContain(
      `${target.host}/mirror/one/renamed/app:1.0`,
    )
    expect(await rawManifest(`docker://${target.host}/mirror/one/pinned:v2`)).toEqual(
      multi.sample.manifest.bytes,
    )
    expect(
      await rawManifest(`docker://${target.host}/mirror/one/team/app:${digest.replace(':', '-')}`),
    ).toEqual(multi.sample.manifest.bytes)
  })

  test('have no more components than --max-nested-paths', async () => {
    await lane.configure([app, baseImages[2]!])
    only(await mirror('--remove-signatures'))
    const report = only<PushReport>(
      await seqPush([content, `docker://${target.host}/flat`, '--max-nested-paths', '2']),
    ).document
    expect(report.images.map((image) => image.reference)).toEqual([
      `${target.host}/flat/team-app:1.0`,
      `${target.host}/flat/team-deep-er-nested:n`,
    ])
    expect(await rawManifest(`docker://${target.host}/flat/team-deep-er-nested:n`)).toEqual(
      baseImages[2]!.sample.manifest.bytes,
    )
  })

  test('that two images would share are refused before anything is written', async () => {
    await lane.configure([app, { name: `${at(app)}:multi`, targetTag: '1.0' }])
    expect(failure(await mirror())).toEqual([78, 'CONFIG_INVALID'])
    await expect(readdir(content)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('are in mapping.txt', async () => {
    await lane.configure([app, { name: `${at(app)}:multi`, targetRepo: 'renamed' }])
    const file = scratch.at('mapping.txt')
    only(await mirror('--mapping', file, '-n'))
    expect(await readFile(file, 'utf8')).toBe(
      `docker://${at(app)}:1.0=docker://localhost:55000/team/app:1.0\ndocker://${at(app)}:multi=docker://localhost:55000/renamed:multi\n`,
    )
  })
})

describe('what is mirrored', () => {
  test('is not what blockedImages names', async () => {
    await lane.configure(baseImages, {
      mirror: { blockedImages: [{ name: 'legacy/.*' }, { name: ':multi$' }] },
    })
    const ran = await mirror('--remove-signatures')
    expect(only(ran).result.blocked).toEqual([
      `${lane.source.host}/team/app:multi`,
      `${lane.source.host}/legacy/tool:2`,
      `${lane.source.host}/legacy/tool:list`,
    ])
    expect((await images(only(ran).result.directory)).map(({ repository }) => repository)).toEqual([
      'charts/web',
      'team/app',
      'team/deep/er/nested',
      'team/empty',
      'team/zstd',
    ])
  })

  test('includes signatures unless --remove-signatures leaves them behind', async () => {
    await lane.configure([app])
    const all = await mirrored()
    expect(all).toEqual(
      expect.arrayContaining(
        attachments
          .filter(({ tag }) => !tag?.endsWith('.att'))
          .filter(({ repository }) => repository === 'team/app')
          .map(nameOf),
      ),
    )
    expect(all).toHaveLength(4)
    // Another set of images, hence another sequence.
    expect(await mirrored('--remove-signatures')).toEqual(['team/app:1.0'])
  })

  test('comes from an OCI layout, too', async () => {
    const layout = scratch.at('layout')
    await copyAll(`docker://${lane.source.host}/${nameOf(multi)}`, `oci:${layout}:multi`)
    await lane.configure([{ name: `oci://${layout}:multi`, targetRepo: 'from/layout' }])
    expect(await mirrored()).toEqual(['from/layout:latest'])
    const served = await servedDuring(lane.source, async () =>
      only(await seqPush([content, `docker://${target.host}`])),
    )
    expect(served).toEqual([])
    expect(await rawManifest(`docker://${target.host}/from/layout:latest`)).toEqual(
      multi.sample.manifest.bytes,
    )
  })

  test('may have a layer of which the type is that of a manifest', async () => {
    await using source = await startServing(scratch.at('source'))
    const image = sampleImage('inside', { layers: [] })
    const layer = {
      ...image.blobs[0]!,
      descriptor: { ...image.blobs[0]!.descriptor, mediaType: image.manifest.mediaType },
    }
    const wrapped = sampleImage('wrapping', { layers: [], shared: [layer] })
    await pushSample(source.store, 'wrapped', wrapped, '1')
    await lane.configure([`${source.host}/wrapped:1`])
    only(await mirror())
    await using there = await startServing(scratch.at('there'))
    only(await seqPush([content, `docker://${there.host}`]))
    expect(await rawManifest(`docker://${there.host}/wrapped:1`)).toEqual(wrapped.manifest.bytes)
  })

  test('leaves foreign layers out and says so', async () => {
    // docker-registry takes no manifest that names a URL.
    await using source = await startServing(scratch.at('source'))
    const foreign = await publishForeign(source.store)
    await lane.configure([`${source.host}/windows:1`])
    const ran = await mirror()
    expect(only(ran).result.skipped).toEqual([
      {
        image: `${source.host}/windows:1`,
        digest: foreign.layer,
        size: 5000,
        why: expect.stringContaining('foreign') as string,
      },
    ])
    expect(ran.stderr).toContain(foreign.layer)
    expect((await seqMeta(['verify', content])).exit).toBe(0)
    await using there = await startServing(scratch.at('there'))
    expect(
      only<PushReport>(await seqPush([content, `docker://${there.host}`])).document.totals,
    ).toMatchObject({ pushed: 1 })
    expect(await rawManifest(`docker://${there.host}/windows:1`)).toEqual(foreign.manifest)
    // With its owner's leave it is fetched from the registry like any other blob.
    const { result } = only<Sequence>(await mirror('--foreign-layers'))
    expect(await readFile(join(result.directory, 'blobs.ndjson'), 'utf8')).toContain(foreign.layer)
  })

  async function publishForeign(store: Destination): Promise<{ layer: string; manifest: Buffer }> {
    const image = sampleImage('windows', { docker: true, layers: [400] })
    const foreign = sampleBlob(
      { seed: 'base', size: 5000 },
      'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
    )
    const value = JSON.parse(image.manifest.bytes.toString()) as { layers: object[] }
    value.layers.unshift({ ...foreign.descriptor, urls: ['https://layers.example.com/base'] })
    const bytes = Buffer.from(JSON.stringify(value))
    const digest = `sha256:${hash('sha256', bytes)}`
    await pushSample(
      store,
      'windows',
      { ...image, blobs: [...image.blobs, foreign], manifest: { ...image.manifest, bytes, digest } },
      '1',
    )
    return { layer: foreign.descriptor.digest, manifest: bytes }
  }
})

describe('platforms', () => {
  const three = sampleIndex(
    ['amd64', 'arm64', 's390x'].map((architecture) => sampleImage(`three-${architecture}`, { architecture })),
  )

  beforeAll(() => lane.publish([{ repository: 'three', tag: '1', sample: three }]))

  test('keep the index as it is and carry those of its images', async () => {
    await lane.configure([
      { name: `${lane.source.host}/three:1`, platforms: [{ os: 'linux', architecture: 'arm64' }] },
    ])
    const { result, document } = only<Sequence>(await mirror())
    expect(await images(result.directory)).toMatchObject([
      { digest: three.descriptor.digest, platforms: ['linux/arm64'], sparse: true },
    ])
    // The index, one manifest, its config and two layers.
    expect(document.blobs.needed).toBe(5)
    expect((await seqMeta(['verify', content])).exit).toBe(0)
  })

  test('that make a sparse index land where one is taken; a registry that refuses it is named with its reason', async () => {
    await lane.configure([
      { name: `${lane.source.host}/three:1`, platforms: [{ os: 'linux', architecture: 'arm64' }] },
    ])
    only(await mirror())
    await using there = await startServing(scratch.at('there'))
    expect(
      only<PushReport>(await seqPush([content, `docker://${there.host}`])).document.totals,
    ).toMatchObject({ pushed: 1 })
    expect(await rawManifest(`docker://${there.host}/three:1`)).toEqual(three.manifest.bytes)
    const ran = await seqPush([content, `docker://${target.host}`])
    const { document } = only<PushReport>(ran, 69)
    expect(document.images).toMatchObject([
      {
        outcome: 'failed',
        error: {
          code: 'REG_REFUSED',
          message: expect.stringMatching(/MANIFEST_BLOB_UNKNOWN|manifest unknown|blob unknown/i) as string,
        },
      },
    ])
    expect(ran.stderr).toContain('sparse')
  })

  test('that no image of the index has are an error that names them', async () => {
    await lane.configure([
      { name: `${lane.source.host}/three:1`, platforms: [{ os: 'linux', architecture: 'riscv64' }] },
    ])
    const ran = await mirror()
    expect(failure(ran)).toEqual([78, 'CONFIG_INVALID'])
    expect(failureErrors(ran)[0]!.message).toContain('linux/riscv64')
  })
})

describe('the configuration', () => {
  test("is read with keys in any case, as oc-mirror's are, and JSON as well", async () => {
    const text = [
      'kind: ImageSetConfiguration',
      'apiversion: mirror.openshift.io/v2alpha1',
      'mirror:',
      '  additionalimages:',
    ]
    for (const { name } of [{ name: nameOf(app) }, { name: nameOf(multi) }])
      text.push(`    - Name: ${lane.source.host}/${name}`)
    await writeFile(lane.config, [...text, '  BlockedImages:', "    - name: ':multi'", ''].join('\n'))
    expect(await mirrored('--remove-signatures')).toEqual(['team/app:1.0'])
    await writeFile(
      lane.config,
      JSON.stringify({
        kind: 'ImageSetConfiguration',
        apiVersion: 'mirror.openshift.io/v2alpha1',
        mirror: { additionalImages: [{ name: `${lane.source.host}/${nameOf(multi)}` }] },
      }),
    )
    expect(await mirrored('--remove-signatures')).toEqual(['team/app:multi'])
  })

  test('that asks for nothing is refused', async () => {
    await lane.configure([])
    expect(failure(await mirror())).toEqual([78, 'CONFIG_EMPTY'])
    await lane.configure([app], { mirror: { blockedImages: [{ name: 'team' }] } })
    expect(failure(await mirror())).toEqual([78, 'CONFIG_EMPTY'])
    await lane.configure([`${lane.source.host}/team/app`])
    expect(failure(await mirror())).toEqual([78, 'CONFIG_INVALID'])
  })

  test('of v1alpha2 is read with a warning', async () => {
    await lane.configure([app], { apiVersion: 'mirror.openshift.io/v1alpha2' })
    const ran = await mirror('--remove-signatures')
    expect(only(ran).result.changed).toBe(true)
    expect(ran.stderr).toContain('v1alpha2')
  })

  test.each([
    ['platform', { platform: { channels: [{ name: 'stable-4.20' }] } }],
    ['operators', { operators: [{ catalog: 'registry.example/catalog:v4.20' }] }],
    ['helm', { helm: { local: [{ name: 'chart', path: '/srv/chart.tgz' }] } }],
  ])('with %s is refused by name, and nothing is written', async (key, section) => {
    await lane.configure([app], { mirror: section })
    const ran = await mirror()
    expect(failure(ran)).toEqual([78, 'CONFIG_UNSUPPORTED'])
    expect(failureErrors(ran)[0]).toMatchObject({
      pointer: `#/mirror/${key}`,
      hint: expect.stringContaining(`mirror.${key}`) as string,
    })
    await expect(readdir(content)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('is kept byte for byte, and what was asked for is recorded', async () => {
    await lane.configure([app])
    const { document, result } = only<Sequence>(
      await mirror(
        '--chain',
        'north',
        '--description',
        'Release-4.20',
        '--site',
        'plant-a',
        '--site',
        'plant-b',
        '--expires',
        '2099-01-31',
      ),
    )
    expect(document).toMatchObject({
      name: 'seq1-Release-4.20',
      description: 'Release-4.20',
      chain: { name: 'north' },
      site: ['plant-a', 'plant-b'],
      expires: '2099-01-31T00:00:00.000Z',
      config_source: 'imageset-config.yaml',
    })
    expect(await readFile(join(result.directory, 'imageset-config.yaml'))).toEqual(
      await readFile(lane.config),
    )
    // The chain's name is the directory's from now on.
    expect(failure(await mirror('--chain', 'south'))).toEqual([81, 'SEQ_WRONG_CHAIN'])
  })
})

describe('--dry-run', () => {
  test('tells what is new and what is carried, and writes nothing', async () => {
    await lane.configure([app])
    const before = only<MirrorPlan>(await mirror('-n'))
    expect(before.result).toMatchObject({ ok: true, changed: true })
    await expect(readdir(content)).rejects.toMatchObject({ code: 'ENOENT' })
    const sequence = only<Sequence>(await mirror()).document
    expect(before.document.totals).toMatchObject({
      new_bytes: sequence.blobs.held_bytes,
      carried_bytes: 0,
      new_blobs: sequence.blobs.held,
    })
    expect(before.document.archives).toEqual(
      sequence.archives.map(({ name, size_bytes }) => ({ name, size_bytes })),
    )

    await lane.configure([app, multi])
    const listing = await readdir(content, { recursive: true })
    let plan: MirrorPlan | undefined
    const served = await servedDuring(
      lane.source,
      async () => (plan = only<MirrorPlan>(await mirror('-n')).document),
    )
    expect(plan!.totals.carried_bytes).toBeGreaterThan(0)
    expect(plan!.dependencies).toMatchObject([{ sequence_number: 1 }])
    expect(served.filter(({ path }) => path.includes('/blobs/'))).toEqual([])
    expect(await readdir(content, { recursive: true })).toEqual(listing)

    await lane.configure([app])
    expect(only(await mirror('-n')).result.changed).toBe(false)
  })
})
