import { execFile } from 'node:child_process'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { retryPolicy } from '@carryall/http'
import { layoutRepository, openLayout, verified } from '@carryall/oci'
import { pushSample, sampleImage } from '@carryall/oci/testing'
import type { ImageSetConfiguration } from '@carryall/schemas'
import { openSequenceStore, verifySequence } from '@carryall/sequence'
import { mirror, type MirrorPorts, type MirrorRequest } from './mirror.ts'

const run = promisify(execFile)
const KIB_IN_GIB = 2 ** -20
const phase = { started() {}, advanced() {}, finished() {}, failed() {}, end() {} }
const image = sampleImage('several', { layers: [300_000, 200_000, 250_000, 600_000, 100, 200] })

let directory: string
let content: string
let layout: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mirror-'))
  content = join(directory, 'content')
  layout = join(directory, 'layout')
  const store = await openLayout(layout, { write: true })
  await pushSample(store, layoutRepository(layout), image, 'latest')
  await store.close()
})

afterEach(() => rm(directory, { recursive: true }))

/** Mirrors the layout's image into archives of at most `limitKiB`: less than a configuration can ask for. */
async function mirrored(limitKiB: number, more: Partial<MirrorRequest> = {}): ReturnType<typeof mirror> {
  const source = await openLayout(layout)
  const address = `oci:${layout}`
  const config: ImageSetConfiguration = {
    kind: 'ImageSetConfiguration',
    apiVersion: 'mirror.openshift.io/v2alpha1',
    archiveSize: limitKiB * KIB_IN_GIB,
    mirror: { additionalImages: [{ name: `oci://${layout}`, targetRepo: 'several' }] },
  }
  const request: MirrorRequest = {
    config,
    configBytes: Buffer.from(JSON.stringify(config)),
    configSource: 'isc.yaml',
    content,
    chain: undefined,
    description: undefined,
    site: [],
    expires: undefined,
    expiresAs: undefined,
    newBaseline: false,
    takeOver: false,
    restart: false,
    signatures: true,
    foreignLayers: false,
    strictArchive: false,
    parallelImages: 2,
    parallel: 4,
    imageTimeoutMs: 0,
    dryRun: false,
    waitSeconds: 0,
    ...more,
  }
  const ports: MirrorPorts = {
    tool: { name: 'mirror-seq', version: '0.0.0' },
    originOf: async () => ({ source, address, repository: layoutRepository(layout), reference: 'latest' }),
    sourceOf: async () => source,
    retry: retryPolicy(),
    now: () => new Date(),
    log: { warn() {}, info() {}, debug() {} },
    progress: { phase: () => phase },
    signal: new AbortController().signal,
  }
  try {
    return await mirror(request, ports)
  } finally {
    await source.close()
  }
}

test('a set that is larger than archiveSize is spread over several archives, each within the limit', async () => {
  const outcome = await mirrored(512)
  if (outcome.done !== 'published') throw new Error(`It was ${outcome.done}`)
  const { metadata, shipment, blobs } = outcome.sequence
  // 300 + 200 kB, 250 kB, 600 kB and the rest, by digest; but for the one that is alone larger.
  expect(metadata.archives.length).toBeGreaterThan(2)
  expect(metadata.archives.map(({ name }) => name)).toEqual(
    metadata.archives.map((_, index) => `mirror_00000${index + 1}.tar`),
  )
  const large = blobs.find((blob) => blob.size > 512 * 1024)
  for (const { name, size_bytes } of metadata.archives) {
    const file = join(shipment.directory, name)
    expect((await stat(file)).size).toBe(size_bytes)
    const { stdout } = await run('tar', ['-tf', file])
    expect(stdout.length).toBeGreaterThan(0)
    if (large !== undefined && 'archive' in large && large.archive === name)
      expect(stdout.trim().split('\n')).toHaveLength(1)
    else expect(size_bytes).toBeLessThanOrEqual(512 * 1024)
  }
  expect((await verifySequence(outcome.sequence, { mode: 'full' })).faults).toEqual([])
  const store = await openSequenceStore(content)
  expect((await store.manifest('several', 'latest')).bytes).toEqual(image.manifest.bytes)
  for (const { descriptor, bytes } of image.blobs) {
    const read = await Array.fromAsync(verified(store.blob('several', descriptor), descriptor))
    expect(Buffer.concat(read).equals(bytes)).toBe(true)
  }
  await store.close()
})

test('a blob that is alone larger than archiveSize is refused with strictArchive, by name', async () => {
  await expect(mirrored(512, { strictArchive: true })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  expect((await mirrored(1024, { strictArchive: true })).done).toBe('published')
})

test('one archive holds all where there is no limit', async () => {
  const outcome = await mirrored(0)
  expect(outcome.done === 'published' && outcome.sequence.metadata.archives).toHaveLength(1)
})
