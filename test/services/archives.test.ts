import { chmod, chown, lstat, mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PushReport, Sequence } from '@carryall/schemas'
import { startDockerRegistry } from '@carryall/oci/testing'
import { startLane, type Lane } from '../support/lane.ts'
import { failure, only } from '../support/ran.ts'
import { mustRun, run } from '../support/run.ts'
import { attachments, baseImages, laterImages, nameOf } from '../support/sample-set.ts'
import { blobGets, servedDuring } from '../support/served.ts'
import { copyAll, rawManifest } from '../support/skopeo.ts'
import { seqMeta, seqPush } from '../support/tools.ts'

let lane: Lane
let first: string
let second: string

beforeAll(async () => {
  lane = await startLane([...baseImages, ...attachments, ...laterImages])
  await lane.configure(baseImages)
  first = only(await lane.mirror()).result.directory
  await lane.configure([...baseImages, ...laterImages])
  second = only(await lane.mirror()).result.directory
})

afterAll(() => lane[Symbol.asyncDispose]())

describe('a sequence without our tools', () => {
  test('is checked by sha256sum', async () => {
    for (const directory of [first, second]) {
      const said = (
        await mustRun('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: directory })
      ).toString()
      const names = said
        .split('\n')
        .filter(Boolean)
        .map((line) => line.replace(/: OK$/, ''))
      expect(names.toSorted()).toEqual(
        (await readdir(directory)).filter((name) => name !== 'SHA256SUMS').toSorted(),
      )
    }
  })

  test.each(['tar', 'bsdtar'])('is listed by %s, every entry a regular file of nobody', async (program) => {
    const owner = program === 'tar' ? '0/0' : '0 0'
    const lines = (await mustRun(program, ['--numeric-owner', '-tvf', join(first, 'mirror_000001.tar')]))
      .toString()
      .split('\n')
      .filter(Boolean)
    expect(lines.length).toBeGreaterThan(50)
    for (const line of lines) {
      expect(line).toMatch(/^-rw-r--r-- .* docker\/registry\/v2\/(blobs|repositories)\/[^ ]+$/)
      expect(line.replaceAll(/\s+/g, ' ')).toContain(owner)
    }
  })

  test('is served by docker-registry from what tar extracts', async () => {
    const storage = lane.scratch.at('extracted')
    await mkdir(storage)
    for (const directory of [first, second]) {
      for (const archive of (await readdir(directory)).filter((name) => name.endsWith('.tar'))) {
        await mustRun('tar', ['-xf', join(directory, archive), '-C', storage])
      }
    }
    await using registry = await startDockerRegistry({ storage })
    const { repositories } = (await (await fetch(`${registry.url}/v2/_catalog`)).json()) as {
      repositories: string[]
    }
    expect(repositories).toEqual(
      [...new Set([...baseImages, ...laterImages].map(({ repository }) => repository))].toSorted(),
    )
    for (const image of [...baseImages, ...laterImages]) {
      expect(
        (await rawManifest(`docker://${registry.host}/${nameOf(image)}`)).equals(image.sample.manifest.bytes),
        nameOf(image),
      ).toBe(true)
    }
    await mkdir(lane.scratch.at('pulled'))
    for (const image of [baseImages[1]!, baseImages[4]!, baseImages[6]!, laterImages[0]!]) {
      await copyAll(
        `docker://${registry.host}/${nameOf(image)}`,
        `dir:${lane.scratch.at('pulled', image.tag!)}`,
      )
    }
  })

  test('has archives without holes', async () => {
    const { size, blocks } = await lstat(join(first, 'mirror_000001.tar'))
    expect(blocks * 512).toBeGreaterThanOrEqual(size)
  })
})

test('the same content gives the same archives', async () => {
  await using other = await startLane([...baseImages, ...attachments])
  await other.configure(baseImages.map((image) => ({ name: `${lane.source.host}/${nameOf(image)}` })))
  const { result } = only(await other.mirror())
  const archive = (directory: string) => readFile(join(directory, 'mirror_000001.tar'))
  expect((await archive(result.directory)).equals(await archive(first))).toBe(true)
})

test('a new baseline holds everything, copied from the earlier sequences', async () => {
  let ran: Awaited<ReturnType<Lane['mirror']>> | undefined
  const served = await servedDuring(lane.source, async () => {
    ran = await lane.mirror(['--new-baseline', '--description', 'v5'])
  })
  const { document, result } = only<Sequence>(ran!)
  expect(blobGets(served)).toEqual([])
  expect(document).toMatchObject({
    name: 'seq3-v5',
    content_type: 'baseline',
    complete: true,
    dependencies: [],
    previous: expect.any(String) as string,
  })
  expect(document.blobs).toMatchObject({ borrowed: 0, held: document.blobs.needed })
  // It needs nothing else on the far side.
  await using target = await startDockerRegistry()
  await mkdir(lane.scratch.at('alone'))
  await mustRun('cp', ['-a', result.directory, lane.scratch.at('alone')])
  expect((await seqMeta(['verify', lane.scratch.at('alone')])).exit).toBe(0)
  expect(
    only<PushReport>(await seqPush([lane.scratch.at('alone'), `docker://${target.host}`])).document.totals,
  ).toMatchObject({ pushed: document.images, failed: 0 })
})

describe('archives of oc-mirror, which have no index', () => {
  let foreign: string

  // As oc-mirror writes them: the cache's links first, then blobs image by image, from the files as they are.
  beforeAll(async () => {
    await using cache = await startDockerRegistry({ storage: lane.scratch.at('cache') })
    for (const image of [baseImages[0]!, baseImages[1]!, baseImages[4]!, laterImages[0]!]) {
      await copyAll(
        `docker://${lane.source.host}/${nameOf(image)}`,
        `docker://${cache.host}/${nameOf(image)}`,
      )
    }
    foreign = lane.scratch.at('foreign')
    await mkdir(foreign)
    const root = 'docker/registry/v2'
    const inside = (await readdir(join(cache.storage, root), { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
    for (const file of inside) {
      await chmod(file, 0o640)
      await chown(file, 1000, 1001)
      await utimes(file, 1_700_000_000, 1_700_000_000)
    }
    // What else is in such an archive is passed over.
    for (const name of ['working-dir/.history/.history-2026-01-02T03:04:05Z', 'isc_2026-01-02T03:04:05Z']) {
      await mkdir(dirname(join(cache.storage, name)), { recursive: true })
      await writeFile(join(cache.storage, name), 'x')
      inside.push(join(cache.storage, name))
    }
    const names = inside.map((file) => file.slice(cache.storage.length + 1)).toSorted()
    const isLink = (name: string) => name.startsWith(`${root}/repositories`)
    const isFirst = (name: string) =>
      baseImages[1]!.sample.blobs
        .concat(baseImages[0]!.sample.blobs)
        .some((blob) => name.includes(blob.descriptor.digest.slice(7)))
    const blobs = names.filter((name) => name.startsWith(`${root}/blobs`))
    const pack = (archive: string, files: readonly string[]) =>
      mustRun('tar', ['--format=ustar', '-cf', join(foreign, archive), '-C', cache.storage, ...files])
    await pack('mirror_000001.tar', [...names.filter(isLink), ...blobs.filter(isFirst)])
    await pack('mirror_000002.tar', [
      ...blobs.filter((name) => !isFirst(name)),
      ...names.filter((name) => !isLink(name) && !blobs.includes(name)),
    ])
  })

  test('land, too', async () => {
    await using target = await startDockerRegistry()
    const { document, result } = only<PushReport>(await seqPush([foreign, `docker://${target.host}/far`]))
    expect(result).toMatchObject({ ok: true, changed: true })
    expect(document).toMatchObject({ sequences: [], totals: { images: 4, pushed: 4 } })
    for (const image of [baseImages[0]!, baseImages[1]!, baseImages[4]!, laterImages[0]!]) {
      expect(await rawManifest(`docker://${target.host}/far/${nameOf(image)}`)).toEqual(
        image.sample.manifest.bytes,
      )
    }
    expect(only(await seqPush([foreign, `docker://${target.host}/far`])).result.changed).toBe(false)
  })

  test('push nothing where a blob is in none of them, and name what they only name', async () => {
    const half = lane.scratch.at('half')
    await mkdir(half)
    await mustRun('cp', [join(foreign, 'mirror_000002.tar'), join(half, 'mirror_000001.tar')])
    await using target = await startDockerRegistry()
    // Without the links there is no image.
    expect(only<PushReport>(await seqPush([half, `docker://${target.host}`])).document.totals).toMatchObject({
      images: 0,
    })
    const part = lane.scratch.at('part')
    await mkdir(part)
    await mustRun('cp', [join(foreign, 'mirror_000001.tar'), part])
    const ran = await seqPush([part, `docker://${target.host}`])
    expect(only<PushReport>(ran).document.totals).toMatchObject({ images: 0 })
    for (const image of [baseImages[0]!, baseImages[1]!, baseImages[4]!, laterImages[0]!])
      expect(ran.stderr).toContain(`${target.host}/${nameOf(image)}`)
    const [manifest] = (await mustRun('tar', ['-tf', join(foreign, 'mirror_000002.tar')]))
      .toString()
      .split('\n')
      .filter((name) => name.includes(laterImages[0]!.sample.descriptor.digest.slice(7)))
    await mustRun('tar', ['-xf', join(foreign, 'mirror_000002.tar'), '-C', part, manifest!])
    await mustRun('tar', ['--format=ustar', '-cf', join(part, 'mirror_000002.tar'), '-C', part, manifest!])
    expect(failure(await seqPush([part, `docker://${target.host}`]))).toEqual([83, 'SEQ_INCOMPLETE'])
    expect(await (await fetch(`${target.url}/v2/_catalog`)).json()).toEqual({ repositories: [] })
  })

  test('belong to no chain, so that there is no receipt', async () => {
    await using target = await startDockerRegistry()
    const receipt = lane.scratch.at('receipt.json')
    expect(failure(await seqPush([foreign, `docker://${target.host}`, '--receipt', receipt]))).toEqual([64])
    expect((await run('test', ['-e', receipt])).exit).toBe(1)
    expect(await (await fetch(`${target.url}/v2/_catalog`)).json()).toEqual({ repositories: [] })
  })

  test('are not what a sequence becomes whose metadata cannot be read', async () => {
    const damaged = lane.scratch.at('damaged')
    await mkdir(damaged)
    await mustRun('cp', ['-a', first, damaged])
    await using target = await startDockerRegistry()
    for (const break_ of ['s/^kind: Sequence/kimd: Sequence/', 's/^apiVersion:/apiVersion: [/']) {
      await mustRun('cp', [join(first, 'seq-metadata.yaml'), join(damaged, 'seq1-baseline')])
      await mustRun('sed', ['-i', break_, join(damaged, 'seq1-baseline', 'seq-metadata.yaml')])
      expect((await seqPush([join(damaged, 'seq1-baseline'), `docker://${target.host}`])).exit).toBe(65)
    }
    expect(await (await fetch(`${target.url}/v2/_catalog`)).json()).toEqual({ repositories: [] })
  })
})
