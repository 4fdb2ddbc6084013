import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  mkdir,
  mkdtemp,
  open as openFile,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { storeSuite } from '../store-suite.ts'
import type { Source } from '../store.ts'
import { pushSample, sampleArtifact, sampleBlob, sampleImage, sampleIndex } from '../testing/samples.ts'
import { createArchive } from './create-archive.ts'
import { openArchive } from './open-archive.ts'

const run = promisify(execFile)

storeSuite('OCI archive', async () => {
  const scratch = await mkdtemp(join(tmpdir(), 'archive-store-'))
  const store = await createArchive(join(scratch, 'app.tar'))
  return {
    store,
    async close() {
      await store.close()
      await rm(scratch, { recursive: true })
    },
  }
})

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'archive-store-'))
})
afterEach(() => rm(directory, { recursive: true }))

const at = (name: string) => join(directory, name)
const skopeo = async (...args: string[]) => (await run('skopeo', args)).stdout
const [one, other] = [sampleImage('one'), sampleImage('other')]

/** An archive of these samples, published. */
async function write(file: string, samples: Record<string, ReturnType<typeof sampleImage>>): Promise<void> {
  const store = await createArchive(file)
  for (const [name, sample] of Object.entries(samples)) {
    const [repository, tag] = name.split(':')
    await pushSample(store, repository!, sample, tag)
  }
  expect(await store.publish()).toBe(true)
  await store.close()
}

/** `repository:tag` of everything in it. */
async function namesIn(source: Source): Promise<string[]> {
  const found: string[] = []
  for await (const repository of source.repositories())
    for await (const tag of source.tags(repository)) found.push(`${repository}:${tag}`)
  return found
}

async function reading<T>(file: string, work: (source: Source) => Promise<T>): Promise<T> {
  const source = await openArchive(file)
  try {
    return await work(source)
  } finally {
    await source.close()
  }
}

test('what is published is one tar, nothing beside it, and reads as what was pushed', async () => {
  const index = sampleIndex([one, other])
  const signature = sampleArtifact('signature', index.descriptor)
  const store = await createArchive(at('app.tar'))
  await pushSample(store, 'group/app', index, 'v1')
  await pushSample(store, 'group/app', signature)
  expect(await readdir(directory)).toEqual(['.app.tar.carryall'])
  expect(await store.publish()).toBe(true)
  await store.close()
  expect(await readdir(directory)).toEqual(['app.tar'])
  await reading(at('app.tar'), async (source) => {
    expect(await namesIn(source)).toEqual(['group/app:v1'])
    expect(await source.manifest('group/app', 'v1')).toEqual(index.manifest)
    for (const { manifest, blobs } of [one, other, signature]) {
      expect(await source.manifest('group/app', manifest.digest)).toEqual(manifest)
      for (const { descriptor, bytes } of blobs) {
        const read = await Array.fromAsync(source.blob('group/app', descriptor), (chunk) =>
          Buffer.from(chunk),
        )
        expect(Buffer.concat(read).equals(bytes)).toBe(true)
      }
    }
    expect(await source.referrers('group/app', index.manifest.digest)).toMatchObject([signature.descriptor])
  })
})

test('skopeo reads what is written here: an index without a name, many images by theirs', async () => {
  const index = sampleIndex(
    ['amd64', 'arm64'].map((architecture) => sampleImage(architecture, { architecture })),
  )
  await write(at('single.tar'), { 'group/app:v1': index })
  const raw = await skopeo('inspect', '--raw', `oci-archive:${at('single.tar')}`)
  expect(Buffer.from(raw).equals(index.manifest.bytes)).toBe(true)
  await write(at('many.tar'), { 'group/app:v1': index, 'b:v2': one, 'b:v3': other })
  await skopeo(
    'copy',
    '--all',
    `oci-archive:${at('many.tar')}:group/app:v1`,
    `oci-archive:${at('copy.tar')}:v9`,
  )
  await skopeo('copy', `oci-archive:${at('many.tar')}:b:v3`, `oci-archive:${at('b.tar')}`)
  await reading(at('copy.tar'), async (source) => {
    expect(await source.manifest('copy', 'v9')).toEqual(index.manifest)
  })
  await reading(at('b.tar'), async (source) => {
    expect(await Array.fromAsync(source.repositories())).toEqual(['b'])
    expect(await namesIn(source)).toEqual([])
    expect(await source.manifest('b', other.manifest.digest)).toEqual(other.manifest)
  })
})

test('the same images make the same bytes, in whatever order they come', async () => {
  const index = sampleIndex([one, other])
  await write(at('first.tar'), { 'b:v1': one, 'a:v2': index, 'a:v1': other })
  await write(at('second.tar'), { 'a:v1': other, 'b:v1': one, 'a:v2': index })
  const [first, second] = await Promise.all(['first.tar', 'second.tar'].map((name) => readFile(at(name))))
  expect(first!.equals(second!)).toBe(true)
  const { stdout } = await run('tar', ['--utc', '--full-time', '--numeric-owner', '-tvf', at('first.tar')])
  const lines = stdout.trim().split('\n')
  for (const line of lines) expect(line).toMatch(/^-rw-r--r-- 0\/0 +\d+ 1970-01-01 00:00:00 /)
  const names = lines.map((line) => line.split(' ').at(-1))
  const blobs = (...digests: string[]) => digests.sort().map((digest) => `blobs/sha256/${digest.slice(7)}`)
  const images = [one, other]
  expect(names).toEqual([
    'oci-layout',
    'index.json',
    ...blobs(...[...images, index].map(({ manifest }) => manifest.digest)),
    ...blobs(...new Set(images.flatMap((image) => image.blobs.map(({ descriptor }) => descriptor.digest)))),
  ])
  expect((await stat(at('first.tar'))).mode & 0o777).toBe(0o644)
})

test('an archive is extended: what it has stays, what it holds is not asked for, readers keep what they opened', async () => {
  await write(at('app.tar'), { 'a:v1': one })
  const before = await readFile(at('app.tar'))
  const reader = await openArchive(at('app.tar'))
  const store = await createArchive(at('app.tar'))
  expect(await namesIn(store)).toEqual(['a:v1'])
  for (const { descriptor } of one.blobs)
    expect(await store.putBlob('b', descriptor, () => expect.unreachable())).toBe('present')
  await pushSample(store, 'b', other, 'v2')
  expect((await readFile(at('app.tar'))).equals(before)).toBe(true)
  expect(await store.publish()).toBe(true)
  await store.close()
  expect(await namesIn(reader)).toEqual(['a:v1'])
  expect(await reader.manifest('a', 'v1')).toEqual(one.manifest)
  await reader.close()
  await reading(at('app.tar'), async (source) => {
    expect(await namesIn(source)).toEqual(['a:v1', 'b:v2'])
    expect(await source.manifest('a', 'v1')).toEqual(one.manifest)
  })
  await skopeo('inspect', `oci-archive:${at('app.tar')}:a:v1`)
})

test('what skopeo wrote is extended, under the names that it gave', async () => {
  await write(at('source.tar'), { 'a:v1': one })
  await skopeo('copy', `oci-archive:${at('source.tar')}`, `oci-archive:${at('mine.tar')}:v7`)
  await write(at('mine.tar'), { 'b:v2': other })
  await skopeo('inspect', `oci-archive:${at('mine.tar')}:v7`)
  expect(await reading(at('mine.tar'), namesIn)).toEqual(['b:v2', 'mine:v7'])
})

test('a run without a change leaves the file as it is', async () => {
  await write(at('app.tar'), { 'a:v1': one })
  const before = await stat(at('app.tar'))
  const store = await createArchive(at('app.tar'))
  await pushSample(store, 'a', one, 'v1')
  expect(await store.publish()).toBe(false)
  await store.close()
  expect(await stat(at('app.tar'))).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs })
  expect(await readdir(directory)).toEqual(['app.tar'])
})

test('a link to an archive stays one', async () => {
  await write(at('app.tar'), { 'a:v1': one })
  await symlink('app.tar', at('latest.tar'))
  await write(at('latest.tar'), { 'a:v2': other })
  expect(
    (await readdir(directory, { withFileTypes: true })).filter((entry) => entry.isSymbolicLink()),
  ).toHaveLength(1)
  expect(await reading(at('app.tar'), namesIn)).toEqual(['a:v1', 'a:v2'])
})

test('what a deleted tag alone led to goes; what others need, or nobody here knows, stays', async () => {
  const shared = sampleBlob({ seed: 'shared', size: 5000 }, 'application/vnd.oci.image.layer.v1.tar')
  const [going, staying] = [
    sampleImage('going', { shared: [shared] }),
    sampleImage('staying', { shared: [shared] }),
  ]
  await write(at('source.tar'), { 'a:going': going, 'a:staying': staying })
  await run('tar', ['-xf', at('source.tar'), '-C', directory])
  const foreign = sampleBlob('of another program')
  await writeFile(at(`blobs/sha256/${foreign.descriptor.digest.slice(7)}`), foreign.bytes)
  await run('tar', ['-cf', at('app.tar'), '-C', directory, 'oci-layout', 'index.json', 'blobs'])
  const store = await createArchive(at('app.tar'))
  expect(await store.deleteTag('a', 'going', going.manifest.digest, { manifestMayGo: true })).toBe('deleted')
  expect(await store.publish()).toBe(true)
  await store.close()
  const { stdout } = await run('tar', ['-tf', at('app.tar')])
  const held = (digest: string) => stdout.includes(digest.slice(7))
  for (const { digest } of [
    staying.manifest,
    shared.descriptor,
    foreign.descriptor,
    ...staying.blobs.map((blob) => blob.descriptor),
  ])
    expect(held(digest)).toBe(true)
  expect(held(going.manifest.digest)).toBe(false)
  expect(held(going.blobs[0]!.descriptor.digest)).toBe(false)
})

test('a run that was killed leaves what the next one uses: blobs and names', async () => {
  const script = `
    import { createArchive } from '${join(import.meta.dirname, 'create-archive.ts')}'
    import { pushSample, sampleBlob, sampleImage } from '${join(import.meta.dirname, '../testing/samples.ts')}'
    const store = await createArchive('${at('app.tar')}')
    await pushSample(store, 'a', sampleImage('one'), 'v1')
    const half = sampleBlob({ seed: 'half', size: 100_000 })
    await store.putBlob('a', half.descriptor, async function* () {
      yield half.bytes.subarray(0, 50_000)
      process.stdout.write('ready')
      await new Promise((resolve) => setTimeout(resolve, 60_000))
    })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(await readdir(directory)).toEqual(['.app.tar.carryall'])
  const store = await createArchive(at('app.tar'))
  expect(await namesIn(store)).toEqual(['a:v1'])
  for (const { descriptor } of one.blobs)
    expect(await store.putBlob('a', descriptor, () => expect.unreachable())).toBe('present')
  await pushSample(store, 'a', other, 'v2')
  expect(await store.publish()).toBe(true)
  await store.close()
  expect(await readdir(directory)).toEqual(['app.tar'])
  await write(at('clean.tar'), { 'a:v2': other, 'a:v1': one })
  expect((await readFile(at('app.tar'))).equals(await readFile(at('clean.tar')))).toBe(true)
})

test('without publish the staging stays, or nothing where nothing was written', async () => {
  const empty = await createArchive(at('app.tar'))
  await empty.close()
  expect(await readdir(directory)).toEqual([])
  const failed = await createArchive(at('app.tar'))
  await pushSample(failed, 'a', one, 'v1')
  await failed.close()
  expect(await readdir(directory)).toEqual(['.app.tar.carryall'])
  const next = await createArchive(at('app.tar'))
  expect(await next.publish()).toBe(true)
  await next.close()
  expect(await reading(at('app.tar'), namesIn)).toEqual(['a:v1'])
})

test('names staged for an archive that has changed since do not count, its blobs do', async () => {
  await write(at('app.tar'), { 'a:v1': one })
  await write(at('new.tar'), { 'a:v9': one })
  const failed = await createArchive(at('app.tar'))
  await pushSample(failed, 'b', other, 'v2')
  await failed.close()
  await run('mv', [at('new.tar'), at('app.tar')])
  const next = await createArchive(at('app.tar'))
  expect(await namesIn(next)).toEqual(['a:v9'])
  expect(await next.hasBlob('b', other.blobs[0]!.descriptor.digest)).toBe(true)
  await next.close()
})

test('an archive that another program changes meanwhile is not replaced', async () => {
  for (const isNew of [true, false]) {
    const file = at(isNew ? 'new.tar' : 'old.tar')
    if (!isNew) await write(file, { 'a:v1': one })
    const store = await createArchive(file)
    await pushSample(store, 'b', other, 'v2')
    await writeFile(file, 'of somebody else')
    await expect(store.publish()).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' })
    expect(await readFile(file, 'utf8')).toBe('of somebody else')
    await store.close()
  }
})

test('a damaged blob is not published, and the archive stays as it is', async () => {
  await write(at('app.tar'), { 'a:v1': one })
  const { stdout } = await run('tar', ['-tRf', at('app.tar')])
  const block = Number(/^block (\d+): .*blobs/m.exec(stdout)![1])
  const handle = await openFile(at('app.tar'), 'r+')
  await handle.write('!', (block + 1) * 512 + 20)
  await handle.close()
  const before = await readFile(at('app.tar'))
  const store = await createArchive(at('app.tar'))
  const { descriptor, open } = sampleBlob('new')
  await store.putBlob('b', descriptor, open)
  await expect(pushSample(store, 'b', other, 'v2').then(() => store.publish())).rejects.toMatchObject({
    code: 'DIGEST_MISMATCH',
    details: { hint: expect.stringContaining(at('app.tar')) },
  })
  await store.close()
  expect((await readFile(at('app.tar'))).equals(before)).toBe(true)
})

test('there is one writer; who waits goes on from what the other published', async () => {
  const first = await createArchive(at('app.tar'))
  await expect(createArchive(at('app.tar'))).rejects.toMatchObject({ code: 'LOCK_HELD' })
  const waiting = createArchive(at('app.tar'), { waitSeconds: 30 })
  await pushSample(first, 'a', one, 'v1')
  await first.publish()
  await first.close()
  const second = await waiting
  expect(await namesIn(second)).toEqual(['a:v1'])
  await second.close()
  expect(await readdir(directory)).toEqual(['app.tar'])
})

test('an archive with what cannot be kept is not extended', async () => {
  await write(at('source.tar'), { 'a:v1': one })
  await run('tar', ['-xf', at('source.tar'), '-C', directory])
  await mkdir(at('blobs/sha512'))
  await writeFile(at(`blobs/sha512/${'0'.repeat(128)}`), 'of another algorithm')
  await run('tar', [
    '--format=pax',
    '-cf',
    at('app.tar'),
    '-C',
    directory,
    'oci-layout',
    'index.json',
    'blobs',
  ])
  await expect(createArchive(at('app.tar'))).rejects.toMatchObject({ code: 'CONFIG_UNSUPPORTED' })
  expect(await readdir(directory)).not.toContain('.app.tar.carryall')
  expect(await reading(at('app.tar'), namesIn)).toEqual(['a:v1'])
})

test('what is no OCI archive is not extended, and nothing is left beside it', async () => {
  await writeFile(at('notes.txt'), 'x'.repeat(2048))
  await expect(createArchive(at('notes.txt'))).rejects.toMatchObject({ code: 'ARCHIVE_MALFORMED' })
  expect(await readdir(directory)).toEqual(['notes.txt'])
})
