import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { openLayout, type LayoutStore } from '@carryall/oci'
import { pushSample, sampleImage, sampleIndex, type Sample } from '@carryall/oci/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { serve, type Serving } from './serve.ts'

const run = promisify(execFile)

let directory: string
let store: LayoutStore
let server: Serving
let host: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'reg-serve-'))
  store = await openLayout(join(directory, 'layout'), { write: true })
  server = await serve(store, { host: '127.0.0.1', port: 0 })
  host = `127.0.0.1:${server.port}`
})
afterEach(async () => {
  await server.close()
  await store.close()
  await rm(directory, { recursive: true })
})

const skopeo = async (...args: string[]) => (await run('skopeo', args)).stdout
const insecure = ['--src-tls-verify=false', '--dest-tls-verify=false']

/** A layout that skopeo reads from: everything in it is in the repository `src`. */
async function source(...samples: readonly (readonly [string, Sample])[]): Promise<string> {
  const path = join(directory, 'src')
  const layout = await openLayout(path, { write: true })
  for (const [tag, sample] of samples) await pushSample(layout, 'src', sample, tag)
  await layout.close()
  return `oci:${path}:src`
}

test('an image goes in and comes out with the same bytes', async () => {
  const image = sampleImage('in and out', { layers: [10, 100_000, 3_000_000] })
  const from = await source(['v1', image])
  await skopeo(
    'copy',
    ...insecure.slice(1),
    '--preserve-digests',
    `${from}:v1`,
    `docker://${host}/group/app:v1`,
  )
  expect(await store.manifest('group/app', 'v1')).toEqual(image.manifest)
  expect(await skopeo('inspect', '--raw', '--tls-verify=false', `docker://${host}/group/app:v1`)).toBe(
    image.manifest.bytes.toString(),
  )
  await skopeo(
    'copy',
    ...insecure.slice(0, 1),
    `docker://${host}/group/app:v1`,
    `oci:${join(directory, 'out')}:v1`,
  )
  const out = await openLayout(join(directory, 'out'))
  expect(await out.manifest('out', 'v1')).toEqual(image.manifest)
  for (const blob of image.blobs)
    expect(await out.blobPlace('out', blob.descriptor.digest)).toMatchObject({ size: blob.descriptor.size })
})

test('a multi-arch image whole, and one platform of it', async () => {
  const index = sampleIndex(
    ['amd64', 'arm64'].map((architecture) => sampleImage(architecture, { architecture })),
  )
  const from = await source(['multi', index])
  await skopeo(
    'copy',
    '--all',
    '--preserve-digests',
    ...insecure.slice(1),
    `${from}:multi`,
    `docker://${host}/app:multi`,
  )
  expect(await store.manifest('app', 'multi')).toEqual(index.manifest)
  for (const child of index.children)
    expect(await store.manifest('app', child.manifest.digest)).toEqual(child.manifest)
  await skopeo('copy', '--all', ...insecure, `docker://${host}/app:multi`, `docker://${host}/copy/app:multi`)
  expect(await store.manifest('copy/app', 'multi')).toEqual(index.manifest)
  await skopeo(
    'copy',
    '--override-arch',
    'arm64',
    ...insecure,
    `docker://${host}/app:multi`,
    `docker://${host}/arm:v1`,
  )
  expect(await store.manifest('arm', 'v1')).toEqual(index.children[1]!.manifest)
})

test('Docker schema 2, image and list', async () => {
  const list = sampleIndex(
    ['amd64', 'arm64'].map((architecture) => sampleImage(architecture, { architecture, docker: true })),
    { docker: true },
  )
  await pushSample(store, 'docker/app', list, 'v1')
  await skopeo(
    'copy',
    '--all',
    '--preserve-digests',
    ...insecure,
    `docker://${host}/docker/app:v1`,
    `docker://${host}/docker/copy:v1`,
  )
  expect(await store.manifest('docker/copy', 'v1')).toEqual(list.manifest)
  expect(
    await skopeo(
      'inspect',
      '--raw',
      '--tls-verify=false',
      `docker://${host}/docker/copy@${list.children[0]!.manifest.digest}`,
    ),
  ).toBe(list.children[0]!.manifest.bytes.toString())
})

test('tags are listed and deleted', async () => {
  for (const tag of ['v2', 'v10', 'v1']) await pushSample(store, 'app', sampleImage(tag), tag)
  const list = async () =>
    (
      JSON.parse(await skopeo('list-tags', '--tls-verify=false', `docker://${host}/app`)) as {
        Tags: string[]
      }
    ).Tags
  expect(await list()).toEqual(['v1', 'v10', 'v2'])
  await skopeo('delete', '--tls-verify=false', `docker://${host}/app:v2`)
  expect(await list()).toEqual(['v1', 'v10'])
  await expect(skopeo('inspect', '--tls-verify=false', `docker://${host}/app:v2`)).rejects.toThrow(
    /manifest unknown/i,
  )
})

test('skopeo sync of a whole repository into a directory', async () => {
  const images = ['a', 'b'].map((tag) => sampleImage(tag))
  for (const [index, tag] of ['a', 'b'].entries()) await pushSample(store, 'group/app', images[index]!, tag)
  await skopeo(
    'sync',
    '--src',
    'docker',
    '--dest',
    'dir',
    '--src-tls-verify=false',
    `${host}/group/app`,
    join(directory, 'synced'),
  )
  const raw = await skopeo('inspect', '--raw', `dir:${join(directory, 'synced', 'app:b')}`)
  expect(raw).toBe(images[1]!.manifest.bytes.toString())
})
