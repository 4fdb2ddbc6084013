import { hash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import type { PushReport, Sequence, Verification } from '@carryall/schemas'
import { startDockerRegistry, type DockerRegistry } from '@carryall/oci/testing'
import { writeConfig } from '../support/config.ts'
import { only } from '../support/ran.ts'
import {
  attachments,
  baseImages,
  digestsOf,
  laterImages,
  nameOf,
  publishSamples,
  type Named,
} from '../support/sample-set.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { serveDirectory } from '../support/serve-directory.ts'
import { blobGets, servedDuring, writes } from '../support/served.ts'
import { copyAll, rawManifest } from '../support/skopeo.ts'
import { openStores } from '../support/stores.ts'
import { mirrorSeq, seqMeta, seqPush } from '../support/tools.ts'

// One story, each test a step of it.
describe('an image set from one registry to another', () => {
  let source: DockerRegistry
  let target: DockerRegistry
  let scratch: Scratch
  let config: string
  let content: string

  beforeAll(async () => {
    source = await startDockerRegistry()
    target = await startDockerRegistry()
    scratch = await makeScratch()
    config = scratch.at('imageset-config.yaml')
    content = scratch.at('content')
    const stores = await openStores()
    await publishSamples(stores.registry(source.host), [...baseImages, ...attachments, ...laterImages])
    await stores.close()
    return async () => {
      await source.stop()
      await target.stop()
      await scratch[Symbol.asyncDispose]()
    }
  })

  const configure = (images: readonly Named[]) =>
    writeConfig(
      config,
      images.map((image) => `${source.host}/${nameOf(image)}`),
    )
  const mirror = (...flags: readonly string[]) => mirrorSeq(['-c', config, '--content', content, ...flags])
  const push = (...argv: readonly string[]) => seqPush([...argv, `docker://${target.host}`])
  let first: Sequence
  let second: Sequence

  test('the first run makes a baseline that holds every blob once', async () => {
    await configure(baseImages)
    let ran: Awaited<ReturnType<typeof mirror>> | undefined
    const served = await servedDuring(source, async () => (ran = await mirror()))
    const { document, result } = only<Sequence>(ran!)
    first = document
    expect(result).toMatchObject({ ok: true, changed: true, directory: `${content}/seq1-baseline` })
    expect(first).toMatchObject({
      name: 'seq1-baseline',
      content_type: 'baseline',
      complete: true,
      dependencies: [],
      images: baseImages.length + attachments.length,
    })
    const wanted = [...baseImages, ...attachments].map(({ sample }) => digestsOf(sample))
    const blobs = new Set(wanted.flatMap((one) => [...one.blobs]))
    expect(first.blobs.needed).toBe(new Set([...blobs, ...wanted.flatMap((one) => [...one.manifests])]).size)
    // Of a blob without bytes there is nothing to ask for.
    const empty = `sha256:${hash('sha256', '')}`
    expect(blobs.has(empty)).toBe(true)
    expect(blobGets(served).toSorted()).toEqual([...blobs].filter((digest) => digest !== empty).toSorted())
    expect(writes(served)).toEqual([])
  })

  test('a run with an extended configuration holds only what is new', async () => {
    await configure([...baseImages, ...laterImages])
    let ran: Awaited<ReturnType<typeof mirror>> | undefined
    const served = await servedDuring(source, async () => (ran = await mirror()))
    const { document, result } = only<Sequence>(ran!)
    second = document
    expect(result.changed).toBe(true)
    expect(second).toMatchObject({
      sequence_number: 2,
      content_type: 'differential',
      complete: false,
      chain: first.chain,
      dependencies: [{ sequence_number: 1, name: 'seq1-baseline', metadata_digest: second.previous }],
      images: baseImages.length + laterImages.length + attachments.length,
    })
    expect(second.name).toMatch(/^seq2-\d{8}-\d{4}$/)
    const old = new Set(baseImages.flatMap(({ sample }) => [...digestsOf(sample).blobs]))
    const fresh = new Set(
      laterImages.flatMap(({ sample }) => [...digestsOf(sample).blobs]).filter((digest) => !old.has(digest)),
    )
    expect(blobGets(served).toSorted()).toEqual([...fresh].toSorted())
    expect(second.blobs.held).toBe(fresh.size + laterImages.length)
  })

  test('a run that finds nothing new changes nothing and asks for no blob', async () => {
    let ran: Awaited<ReturnType<typeof mirror>> | undefined
    const served = await servedDuring(source, async () => (ran = await mirror()))
    const { document, result } = only<Sequence>(ran!)
    expect(document).toEqual(second)
    expect(result).toMatchObject({ ok: true, changed: false, directory: `${content}/${second.name}` })
    expect(served.filter(({ path }) => path.includes('/blobs/'))).toEqual([])
  })

  test('seq-meta finds both whole', async () => {
    const ran = await seqMeta(['verify', content])
    expect(ran.exit).toBe(0)
    for (const document of ran.documents) {
      const { complete, faults, missing, checked } = document as unknown as Verification
      expect({ complete, faults, missing }).toEqual({ complete: true, faults: [], missing: [] })
      expect(checked.blobs).toBeGreaterThan(0)
    }
    expect(ran.documents).toHaveLength(2)
  })

  test('a push lands every image, byte for byte', async () => {
    const { document } = only<PushReport>(await push(content))
    expect(document.totals).toMatchObject({
      images: second.images,
      pushed: second.images,
      conflicts: 0,
      failed: 0,
    })
    for (const image of [...baseImages, ...laterImages, ...attachments]) {
      const there = await rawManifest(`docker://${target.host}/${nameOf(image)}`)
      expect(there.equals(image.sample.manifest.bytes), nameOf(image)).toBe(true)
      expect(there.equals(await rawManifest(`docker://${source.host}/${nameOf(image)}`)), nameOf(image)).toBe(
        true,
      )
    }
  })

  test('referrers are found at the destination as at the source', async () => {
    const stores = await openStores()
    for (const { repository, sample } of baseImages) {
      const [here, there] = await Promise.all(
        [source, target].map((registry) =>
          stores.registry(registry.host).referrers(repository, sample.descriptor.digest),
        ),
      )
      expect(there).toEqual(here)
    }
    await stores.close()
  })

  test('every blob can be pulled again', async () => {
    // skopeo copies neither artifacts nor nested indexes; each of their blobs was proven by the push.
    await mkdir(scratch.at('pulled'))
    for (const image of [...baseImages, ...laterImages].filter(
      ({ repository }) => !/^charts|nested$/.test(repository),
    )) {
      await copyAll(`docker://${target.host}/${nameOf(image)}`, `dir:${scratch.at('pulled', image.tag!)}`)
    }
  })

  test('a second push changes nothing and sends nothing', async () => {
    let ran: Awaited<ReturnType<typeof push>> | undefined
    const served = await servedDuring(target, async () => (ran = await push(content)))
    const { document, result } = only<PushReport>(ran!)
    expect(result).toMatchObject({ ok: true, changed: false })
    expect(document.totals).toMatchObject({
      same: second.images,
      pushed: 0,
      blobs_uploaded: 0,
      uploaded_bytes: 0,
    })
    expect(writes(served)).toEqual([])
  })

  test('a push into an OCI layout is read by skopeo', async () => {
    const layout = scratch.at('layout')
    const { document } = only<PushReport>(await seqPush([content, `oci:${layout}`]))
    expect(document.totals).toMatchObject({ images: second.images, pushed: second.images })
    // skopeo finds OCI types only in a layout.
    for (const image of [...baseImages, ...laterImages].filter(
      ({ sample }) => !sample.descriptor.mediaType.includes('docker'),
    )) {
      expect(
        (await rawManifest(`oci:${layout}:${nameOf(image)}`)).equals(image.sample.manifest.bytes),
        nameOf(image),
      ).toBe(true)
    }
    const again = only<PushReport>(await seqPush([content, `oci:${layout}`]))
    expect(again.result.changed).toBe(false)
  })
  test('the content directory is served as a registry, straight from its archives', async () => {
    await using server = await serveDirectory(scratch, content)
    for (const image of [...baseImages, ...laterImages, ...attachments]) {
      const there = await rawManifest(`docker://${server.host}/${nameOf(image)}`)
      expect(there.equals(image.sample.manifest.bytes), nameOf(image)).toBe(true)
    }
    // What is served can be mirrored again, signatures and all, into the same bytes.
    const again = scratch.at('again.yaml')
    await writeConfig(
      again,
      [...baseImages, ...laterImages].map((image) => `${server.host}/${nameOf(image)}`),
    )
    const { document } = only<Sequence>(await mirrorSeq(['-c', again, '--content', scratch.at('again')]))
    expect(document).toMatchObject({
      complete: true,
      images: second.images,
      blobs: { needed: second.blobs.needed },
    })
  })
})
