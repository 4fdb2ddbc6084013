import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { sampleImage, startDockerRegistry, type DockerRegistry } from '@carryall/oci/testing'
import { installBundles, type Installed } from '../support/bundles.ts'
import { startFaultProxy, type FaultProxy } from '../support/fault-proxy.ts'
import { startLane, type Lane } from '../support/lane.ts'
import { only } from '../support/ran.ts'
import { nameOf, type Named } from '../support/sample-set.ts'
import { documents } from '../support/shell.ts'
import { rawManifest } from '../support/skopeo.ts'
import { start, type Running } from '../support/start.ts'

const images: readonly Named[] = ['one', 'two', 'three'].map((name) => ({
  repository: name,
  tag: '1',
  sample: sampleImage(name, { layers: [300_000, 500] }),
}))

let installed: Installed
let lane: Lane
let directory: string
let target: DockerRegistry
let proxy: FaultProxy
let held: PromiseWithResolvers<void>

beforeAll(async () => {
  installed = await installBundles()
  lane = await startLane(images)
  await lane.configure(images)
  directory = only(await lane.mirror()).result.directory
})

afterAll(async () => {
  await installed[Symbol.asyncDispose]()
  await lane[Symbol.asyncDispose]()
})

beforeEach(async () => {
  target = await startDockerRegistry({ relativeUrls: true })
  proxy = await startFaultProxy(target.url)
  held = Promise.withResolvers<void>()
})

afterEach(async () => {
  held.resolve()
  await proxy[Symbol.asyncDispose]()
  await target.stop()
})

const push = (): Running => start(installed, 'seq-push', [directory, `docker://${proxy.host}`])

async function expectResumed(): Promise<void> {
  held.resolve()
  proxy.faults = () => undefined
  const ended = await push().ended
  expect(ended.exit, ended.stderr).toBe(0)
  for (const image of images)
    expect(await rawManifest(`docker://${target.host}/${nameOf(image)}`)).toEqual(image.sample.manifest.bytes)
  expect(documents(await push().ended)).toMatchObject([{ totals: { same: 3 }, result: { changed: false } }])
}

test.each([
  [
    'blobs',
    ({ method, path }: { method: string; path: string }) => method === 'PUT' && path.includes('/two/blobs/'),
  ],
  [
    'manifests',
    ({ method, path }: { method: string; path: string }) =>
      method === 'PUT' && path.endsWith('/two/manifests/1'),
  ],
] as const)('a push that is killed amid the %s is ended by the next', async (_what, isHeld) => {
  proxy.faults = async (request) => {
    if (isHeld(request)) await held.promise
    return undefined
  }
  const cut = push()
  await expect.poll(() => proxy.requests.some(isHeld), { timeout: 10_000 }).toBe(true)
  cut.kill('SIGKILL')
  expect((await cut.ended).exit).toBe('SIGKILL')
  await expectResumed()
})

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s ends a push with %i; the next one ends it', async (signal, exit) => {
  proxy.faults = async ({ method, path }) => {
    if (method === 'PUT' && path.includes('/two/blobs/')) await held.promise
    return undefined
  }
  const cut = push()
  await expect
    .poll(() => proxy.requests.some(({ method, path }) => method === 'PUT' && path.includes('/two/blobs/')), {
      timeout: 10_000,
    })
    .toBe(true)
  const sent = performance.now()
  cut.kill(signal)
  const ended = await cut.ended
  expect(performance.now() - sent).toBeLessThan(2500)
  expect(ended.exit).toBe(exit)
  expect(documents(ended)).toMatchObject([{ kind: 'Failure', result: { ok: false } }])
  // No tag was written before all blobs were there.
  for (const image of images)
    expect((await fetch(`${target.url}/v2/${image.repository}/tags/list`)).status).toBe(404)
  await expectResumed()
})
