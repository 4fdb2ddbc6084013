import { execFile } from 'node:child_process'
import { hash } from 'node:crypto'
import { mkdtemp, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { tarHeader } from '@carryall/archive'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { openLayout } from '../layout/open-layout.ts'
import type { Source } from '../store.ts'
import { pushSample, sampleImage, sampleIndex } from '../testing/samples.ts'
import { openArchive } from './open-archive.ts'

const run = promisify(execFile)
const END = Buffer.alloc(1024)
const REF_NAME = 'org.opencontainers.image.ref.name'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'open-archive-'))
})
afterEach(() => rm(directory, { recursive: true }))

const at = (name: string) => join(directory, name)
const image = sampleImage('in an archive')
const index = sampleIndex(
  ['amd64', 'arm64'].map((architecture) => sampleImage(architecture, { architecture })),
)
const LAYOUT = entry('oci-layout', '{"imageLayoutVersion":"1.0.0"}')

/** Header, data and padding; `type` is the typeflag of the header. */
function entry(name: string, data: string | Buffer = '', type = '0', link = ''): Buffer {
  const bytes = Buffer.from(data)
  const header = tarHeader({ name: 'x', size: bytes.length })
  header.fill(0, 0, 100)
  header.write(name, 0)
  header.write(type, 156)
  header.write(link, 157)
  header.fill(' ', 148, 156)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return Buffer.concat([header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)])
}

function indexEntry(...named: (string | undefined)[]): Buffer {
  const manifests = named.map((name) => ({
    ...image.descriptor,
    ...(name === undefined ? {} : { annotations: { [REF_NAME]: name } }),
  }))
  return entry('index.json', JSON.stringify({ schemaVersion: 2, manifests }))
}

const blobs = [image.manifest, ...image.blobs].map(({ bytes }) =>
  entry(`blobs/sha256/${hash('sha256', bytes)}`, bytes),
)

async function openParts(...parts: Buffer[]): Promise<Source> {
  await writeFile(at('app.tar'), Buffer.concat(parts))
  const source = await openArchive(at('app.tar'))
  onTestFinished(() => source.close())
  return source
}

async function all(source: Source): Promise<string[]> {
  const found: string[] = []
  for await (const repository of source.repositories()) {
    found.push(repository)
    for await (const tag of source.tags(repository)) found.push(`${repository}:${tag}`)
  }
  return found
}

describe('what skopeo writes', () => {
  test.each([
    [':v7', ['my-app', 'my-app:v7'], 'my-app', 'v7'],
    [':group/app:v8', ['group/app', 'group/app:v8'], 'group/app', 'v8'],
    ['', ['my-app'], 'my-app', index.manifest.digest],
  ])('as "FILE%s" is read by the same names as a layout', async (name, names, repository, reference) => {
    const layout = await openLayout(at('layout'), { write: true })
    await pushSample(layout, 'a', index, 'v1')
    await layout.close()
    await run('skopeo', [
      'copy',
      '--all',
      `oci:${at('layout')}:a:v1`,
      `oci-archive:${at('My_App.tar')}${name}`,
    ])
    await rename(at('My_App.tar'), at('My App.tar'))
    const source = await openArchive(at('My App.tar'))
    onTestFinished(() => source.close())
    expect(await all(source)).toEqual(names)
    expect(await source.head(repository, reference)).toMatchObject(index.descriptor)
    expect(await source.manifest(repository, reference)).toEqual(index.manifest)
    for (const child of index.children)
      expect(await source.manifest(repository, child.manifest.digest)).toEqual(child.manifest)
    const { descriptor, bytes } = index.children[1]!.blobs[1]!
    for (const offset of [0, 7, bytes.length - 1]) {
      const chunks = await Array.fromAsync(source.blob(repository, descriptor, offset), (chunk) =>
        Buffer.from(chunk),
      )
      expect(Buffer.concat(chunks).equals(bytes.subarray(offset))).toBe(true)
    }
  })
})

test.each(['gnu', 'pax', 'ustar'])('a layout that tar packed in its %s format is read', async (format) => {
  const layout = await openLayout(at('layout'), { write: true })
  await pushSample(layout, 'a', index, 'v1')
  await layout.close()
  await run('tar', [`--format=${format}`, '-cf', at('app.tar'), '-C', at('layout'), '.'])
  const source = await openArchive(at('app.tar'))
  onTestFinished(() => source.close())
  expect(await source.manifest('a', 'v1')).toEqual(index.manifest)
})

test('what "docker save" adds is passed over', async () => {
  const source = await openParts(
    entry('blobs/', '', '5'),
    entry('blobs/sha256/', '', '5'),
    ...blobs,
    indexEntry('latest'),
    entry('manifest.json', '[{"Config":"blobs/sha256/x"}]'),
    LAYOUT,
    entry('repositories', '{}'),
    END,
  )
  expect(await all(source)).toEqual(['app', 'app:latest'])
  expect(await source.manifest('app', 'latest')).toEqual(image.manifest)
})

test('what is not there is absent', async () => {
  const source = await openParts(LAYOUT, indexEntry('v1'), END)
  expect(await all(source)).toEqual(['app', 'app:v1'])
  expect(await source.head('app', 'v1')).toBeUndefined()
  await expect(source.manifest('app', 'v1')).rejects.toMatchObject({ code: 'REG_MANIFEST_UNKNOWN' })
  await expect(Array.fromAsync(source.blob('app', image.blobs[0]!.descriptor))).rejects.toMatchObject({
    code: 'REG_BLOB_UNKNOWN',
  })
})

test('bytes under another digest are refused', async () => {
  const wrong = Buffer.from(image.manifest.bytes)
  wrong[wrong.length - 2]! ^= 1
  const source = await openParts(
    LAYOUT,
    indexEntry('v1'),
    entry(`blobs/sha256/${image.manifest.digest.slice(7)}`, wrong),
    END,
  )
  await expect(source.manifest('app', 'v1')).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' })
})

describe('refuses', () => {
  const whole = [LAYOUT, indexEntry('v1'), ...blobs]
  const overlong = entry('x', Buffer.alloc(512)).fill('7', 124, 135)
  test.each<[string, string, Buffer[]]>([
    ['a second index.json', 'ARCHIVE_MALFORMED', [...whole, indexEntry('v2'), END]],
    [
      'a second index.json, spelled otherwise',
      'ARCHIVE_MALFORMED',
      [...whole, entry('./index.json', '{}'), END],
    ],
    ['a blob twice', 'ARCHIVE_MALFORMED', [...whole, blobs[0]!, END]],
    [
      'a symbolic link',
      'ARCHIVE_ENTRY_REFUSED',
      [...whole, entry('blobs/sha256/a', '', '2', '/etc/shadow'), END],
    ],
    ['a hard link', 'ARCHIVE_ENTRY_REFUSED', [...whole, entry('a', '', '1', 'index.json'), END]],
    ['a device', 'ARCHIVE_ENTRY_REFUSED', [...whole, entry('a', '', '3'), END]],
    ['a sparse file', 'ARCHIVE_ENTRY_REFUSED', [...whole, entry('a', '', 'S'), END]],
    ['a name that leads out', 'PATH_UNSAFE', [...whole, entry('../index.json', '{}'), END]],
    ['an absolute name', 'PATH_UNSAFE', [...whole, entry('/oci-layout', '{}'), END]],
    ['data that goes beyond the end', 'ARCHIVE_MALFORMED', [...whole, overlong, END]],
    ['no end', 'ARCHIVE_MALFORMED', whole],
    ['bytes behind the end', 'ARCHIVE_MALFORMED', [...whole, END, ...whole]],
    ['an empty file', 'ARCHIVE_MALFORMED', []],
    ['an archive without a layout', 'INPUT_REFUSED', [...blobs, END]],
    ['an archive of docker alone', 'INPUT_REFUSED', [entry('manifest.json', '[]'), END]],
    ['index.json as a directory', 'INPUT_REFUSED', [LAYOUT, entry('index.json', '', '5'), END]],
    [
      'another version',
      'CONFIG_UNSUPPORTED',
      [entry('oci-layout', '{"imageLayoutVersion":"2.0.0"}'), indexEntry(), END],
    ],
    ['a large oci-layout', 'INPUT_TOO_LARGE', [entry('oci-layout', 'x'.repeat(5000)), indexEntry(), END]],
    ['an index that is not JSON', 'INPUT_SYNTAX', [LAYOUT, entry('index.json', '{"manifests":'), END]],
    ['gzip', 'INPUT_REFUSED', [gzipSync(Buffer.concat([...whole, END]))]],
    ['zstd', 'INPUT_REFUSED', [zstdCompressSync(Buffer.concat([...whole, END]))]],
  ])('%s', async (_what, code, parts) => {
    await expect(openParts(...parts)).rejects.toMatchObject({ code })
  })

  test('a truncated archive, wherever it ends', async () => {
    const bytes = Buffer.concat([...whole, END])
    await writeFile(at('whole.tar'), bytes)
    for (let size = bytes.length - 1; size > 0; size -= 331) {
      await writeFile(at('app.tar'), bytes.subarray(0, size))
      await expect(openArchive(at('app.tar'))).rejects.toMatchObject({ code: 'ARCHIVE_MALFORMED', exit: 82 })
    }
  })

  test('xz and bzip2, and says with which program to unpack them', async () => {
    await writeFile(at('app.tar'), Buffer.concat([...whole, END]))
    for (const program of ['xz', 'bzip2']) {
      await run(program, ['--keep', '--force', at('app.tar')])
      const file = at(`app.tar.${program === 'xz' ? 'xz' : 'bz2'}`)
      await expect(openArchive(file)).rejects.toMatchObject({
        code: 'INPUT_REFUSED',
        details: { hint: expect.stringContaining(`${program} -d`) },
      })
    }
  })

  test('a directory, a FIFO, and what is not there', async () => {
    await expect(openArchive(directory)).rejects.toMatchObject({ code: 'INPUT_REFUSED' })
    await run('mkfifo', [at('fifo')])
    await expect(openArchive(at('fifo'))).rejects.toMatchObject({ code: 'INPUT_REFUSED' })
    await expect(openArchive(at('none.tar'))).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' })
  })
})

test('an archive that is cut while it is open is malformed', async () => {
  const source = await openParts(LAYOUT, indexEntry('v1'), ...blobs, END)
  await truncate(at('app.tar'), (await readFile(at('app.tar'))).length - blobs.at(-1)!.length - END.length)
  await expect(Array.fromAsync(source.blob('app', image.blobs.at(-1)!.descriptor))).rejects.toMatchObject({
    code: 'ARCHIVE_MALFORMED',
  })
})
