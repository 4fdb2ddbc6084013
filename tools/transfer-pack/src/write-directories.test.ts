import { execFile } from 'node:child_process'
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { runInProcess } from '@carryall/cli/testing'
import { openVolumes } from '@carryall/media'
import { parseKind, volumeKind, type TransferPlan, type Volume } from '@carryall/schemas'
import type { Shipment } from '@carryall/shipment'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { command } from './command.ts'
import { makeContent, makePlan, MEDIUM, UNLIMITED } from './testing/sample-plan.ts'

const run = promisify(execFile)
let root: string
let out: string
let shipments: readonly [Shipment, Shipment]
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'pack-'))
  out = join(root, 'out')
  shipments = await makeContent(root)
})
afterEach(() => rm(root, { recursive: true }))

async function pack(plan: TransferPlan | object, ...flags: readonly string[]) {
  return runInProcess(command, ['-', '--out', out, ...flags], { stdin: JSON.stringify(plan) })
}

async function volumeOf(directory: string): Promise<Volume> {
  const text = await readFile(join(directory, 'volume.json'), 'utf8')
  return parseKind(volumeKind, JSON.parse(text), 'volume.json')
}

/** The files of a set of volumes put together, in any order of volumes, as an operator could do by hand. */
async function reassembled(directories: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const pieces: { key: string; offset: number; bytes: Buffer }[] = []
  for (const directory of directories.toReversed())
    for (const entry of (await volumeOf(directory)).entries)
      pieces.push({
        key: `${entry.shipment}/${entry.path}`,
        offset: entry.offset ?? 0,
        bytes: await readFile(join(directory, entry.stored)),
      })
  const files = new Map<string, string>()
  for (const { key, bytes } of pieces.sort((a, b) => a.offset - b.offset))
    files.set(key, (files.get(key) ?? '') + bytes.toString('latin1'))
  return files
}

async function sources(): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>()
  for (const { directory, metadata } of shipments)
    for (const { path } of metadata.files)
      files.set(`${metadata.name}/${path}`, await readFile(join(directory, path), 'latin1'))
  return files
}

const names = async (): Promise<readonly string[]> => (await readdir(out)).toSorted()
const visible = async (): Promise<readonly string[]> =>
  (await names()).filter((name) => !name.startsWith('.'))

describe('volumes as directories', () => {
  test('anyone can check and put together what is written', async () => {
    const plan = await makePlan(shipments, [MEDIUM])
    expect(plan.volumes.length).toBeGreaterThan(3)
    const ran = await pack(plan)
    expect(ran).toMatchObject({ exit: 0 })
    const directories = ran.documents.map(
      (document) => (document['result'] as { directory: string }).directory,
    )
    expect(directories.map((path) => path.slice(out.length + 1))).toEqual(
      plan.volumes.map(({ number }) => `carryall-${plan.set.slice(7, 15)}-00${number}`),
    )
    expect(await visible()).toHaveLength(plan.volumes.length)
    expect((await names()).filter((name) => name.startsWith('.'))).toEqual(['.carryall-lock'])
    for (const [index, directory] of directories.entries()) {
      await run('sha256sum', ['--strict', '--quiet', '-c', 'SHA256SUMS'], { cwd: directory })
      const { result, ...document } = ran.documents[index]!
      expect(await volumeOf(directory)).toEqual(document)
      expect(result).toMatchObject({ ok: true, changed: true })
      const { stdout } = await run('du', ['-s', '--block-size=1', directory])
      expect(Number(stdout.split('\t')[0])).toBeLessThanOrEqual(plan.volumes[index]!.used_bytes)
      for (const { stored, path, shipment } of (await volumeOf(directory)).metadata)
        expect(await readFile(join(directory, stored))).toEqual(
          await readFile(join(root, 'content', shipment, path)),
        )
      expect((await stat(join(directory, 'SHA256SUMS'))).mode & 0o777).toBe(0o644)
    }
    expect(await reassembled(directories)).toEqual(await sources())
  })

  test('the reader of volumes takes them', async () => {
    expect((await pack(await makePlan(shipments, [MEDIUM]))).exit).toBe(0)
    const read: string[] = []
    for await (const volume of openVolumes(out)) {
      for await (const file of volume.files())
        for await (const chunk of file.chunks()) expect(chunk.length).toBeGreaterThan(0)
      read.push(volume.name)
      await volume.close()
    }
    expect(read).toEqual(await visible())
  })

  test('a second run changes nothing, and neither does a dry one', async () => {
    const plan = await makePlan(shipments, [MEDIUM])
    const dry = await pack(plan, '--dry-run')
    expect(dry.documents.map((document) => document['result'])).toMatchObject(
      plan.volumes.map(() => ({ changed: true })),
    )
    await expect(readdir(out)).rejects.toMatchObject({ code: 'ENOENT' })
    await pack(plan)
    const before = await run('find', [out, '-printf', '%p %i %T@ %s\n'])
    for (const flag of ['--dry-run', '--log-format=json']) {
      const again = await pack(plan, flag)
      expect(again.exit).toBe(0)
      for (const document of again.documents)
        expect(document['result']).toMatchObject({ ok: true, changed: false })
    }
    const lockless = (text: string): string => text.replaceAll(/.*\.carryall-lock.*\n/g, '')
    expect(lockless((await run('find', [out, '-printf', '%p %i %T@ %s\n'])).stdout)).toBe(
      lockless(before.stdout),
    )
  })

  test('a damaged volume is named, and made again by its number', async () => {
    const plan = await makePlan(shipments, [MEDIUM])
    await pack(plan)
    const directory = join(out, (await visible())[1]!)
    const whole = await readFile(join(directory, 'SHA256SUMS'), 'utf8')
    const { stored } = (await volumeOf(directory)).entries[0]!
    await writeFile(join(directory, stored), 'other bytes')
    const refused = await pack(plan)
    expect(refused.exit).toBe(82)
    expect(refused.documents[0]).toMatchObject({ kind: 'Failure', errors: [{ code: 'DIGEST_MISMATCH' }] })
    const made = await pack(plan, '--volume', '2', '--force')
    expect(made.documents.map((document) => document['result'])).toMatchObject([{ changed: true, directory }])
    expect(await readFile(join(directory, 'SHA256SUMS'), 'utf8')).toBe(whole)
    expect(
      (await pack(plan)).documents.every(({ result }) => !(result as { changed: boolean }).changed),
    ).toBe(true)
  })

  test('files are missing, or more than there should be', async () => {
    const plan = await makePlan(shipments, [UNLIMITED])
    await pack(plan)
    const directory = join(out, (await visible())[0]!)
    await writeFile(join(directory, 'stray'), '')
    expect((await pack(plan)).exit).toBe(82)
    await rm(join(directory, 'stray'))
    await rm(join(directory, 'sample/seq2-sample/deep'), { recursive: true })
    expect((await pack(plan)).exit).toBe(82)
    await rm(join(directory, 'SHA256SUMS'))
    expect((await pack(plan)).exit).toBe(82)
    expect((await pack(plan, '--force')).exit).toBe(0)
    expect((await pack(plan)).exit).toBe(0)
  })

  test('a volume of another set is not touched', async () => {
    const plan = await makePlan(shipments, [UNLIMITED])
    await pack(plan)
    const other = { ...plan, set: `${plan.set.slice(0, 20)}${'0'.repeat(51)}` }
    expect((await pack(other)).documents[0]).toMatchObject({ errors: [{ code: 'OUTPUT_EXISTS' }] })
  })
})

describe('sources', () => {
  test('a damaged one is named, and no volume with a part of it appears', async () => {
    const plan = await makePlan(shipments, [MEDIUM])
    const path = join(shipments[1].directory, 'large.tar')
    const bytes = await readFile(path)
    bytes[3_899_999]! ^= 1
    await writeFile(path, bytes)
    const ran = await pack(plan)
    expect(ran.exit).toBe(82)
    expect(ran.documents[0]).toMatchObject({ errors: [{ code: 'DIGEST_MISMATCH', subject: { name: path } }] })
    const there = await visible()
    for (const name of there)
      expect((await volumeOf(join(out, name))).entries.map((entry) => entry.path)).not.toContain('large.tar')
    bytes[3_899_999]! ^= 1
    await writeFile(path, bytes)
    expect((await pack(plan)).exit).toBe(0)
    const directories = (await visible()).map((name) => join(out, name))
    expect(await reassembled(directories)).toEqual(await sources())
  })

  test('one part alone is proven with all of its file', async () => {
    const plan = await makePlan(shipments, [MEDIUM])
    const second = plan.volumes.find(({ entries }) => entries.some((entry) => entry.part === 2))!
    const path = join(shipments[1].directory, 'large.tar')
    const bytes = await readFile(path)
    bytes[0]! ^= 1
    await writeFile(path, bytes)
    expect((await pack(plan, '--volume', String(second.number))).exit).toBe(82)
    expect(await visible()).toEqual([])
    bytes[0]! ^= 1
    await writeFile(path, bytes)
    expect((await pack(plan, '--volume', String(second.number))).exit).toBe(0)
    expect(await visible()).toHaveLength(1)
  })

  test('what is missing, shorter or of another plan is refused before anything is written', async () => {
    const plan = await makePlan(shipments, [UNLIMITED])
    const path = join(shipments[1].directory, 'middle.tar')
    const code = async (): Promise<unknown> =>
      ((await pack(plan)).documents[0]!['errors'] as { code: string }[])[0]!.code
    await rename(path, `${path}.away`)
    expect(await code()).toBe('FILE_MISSING')
    await writeFile(path, 'short')
    expect(await code()).toBe('SIZE_MISMATCH')
    await rename(`${path}.away`, path)
    const metadata = join(shipments[0].directory, 'seq-metadata.yaml')
    await writeFile(metadata, `${await readFile(metadata, 'utf8')}# more\n`)
    expect(await code()).toBe('DIGEST_MISMATCH')
    await expect(readdir(out)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('a plan that speaks of other files than its shipments', async () => {
    const plan = await makePlan(shipments, [UNLIMITED])
    const entries = plan.volumes[0]!.entries.map((entry) => ({ ...entry, sha256: '0'.repeat(64) }))
    const ran = await pack({ ...plan, volumes: [{ ...plan.volumes[0]!, entries }] })
    expect(ran.documents[0]).toMatchObject({ errors: [{ code: 'INDEX_MISMATCH' }] })
  })

  test('they may have moved', async () => {
    const plan = await makePlan(shipments, [UNLIMITED], [2])
    await rename(join(root, 'content'), join(root, 'moved'))
    expect((await pack(plan)).exit).toBe(66)
    expect((await pack(plan, '--content', join(root, 'moved'))).exit).toBe(0)
    const { entries, metadata } = await volumeOf(join(out, (await visible())[0]!))
    expect(new Set(entries.map((entry) => entry.shipment))).toEqual(new Set(['seq2-sample']))
    expect(new Set(metadata.map((file) => file.shipment))).toEqual(new Set(['seq1-sample', 'seq2-sample']))
  })
})

describe('going on', () => {
  const staging = async (): Promise<string> =>
    join(
      out,
      (await names()).find((name) => name.startsWith('.carryall-partial-'))!,
    )

  /** A run that ends in the middle of the set: the last source is wrong. */
  async function interrupted(plan: TransferPlan): Promise<void> {
    const path = join(shipments[1].directory, 'large.tar')
    const bytes = await readFile(path)
    await writeFile(path, Buffer.alloc(bytes.length))
    expect((await pack(plan)).exit).toBe(82)
    await writeFile(path, bytes)
  }

  test('what is whole stays, what is not is made again, strays go', async () => {
    const plan = await makePlan(shipments, [UNLIMITED])
    await interrupted(plan)
    const staged = await staging()
    const file = (path: string): string => join(staged, 'sample/seq2-sample', path)
    await mkdir(join(staged, 'sample/seq2-sample'), { recursive: true })
    await writeFile(file('middle.tar'), await readFile(join(shipments[1].directory, 'middle.tar')))
    await utimes(file('middle.tar'), 1, 1)
    await writeFile(join(staged, 'stray'), '')
    await mkdir(join(staged, 'stray-directory/below'), { recursive: true })
    const { exit, stderr } = await pack(plan, '--progress', 'plain')
    expect(exit).toBe(0)
    expect(stderr).toMatch(/middle\.tar.*already there/)
    const directory = join(out, (await visible())[0]!)
    expect((await stat(join(directory, 'sample/seq2-sample/middle.tar'))).mtimeMs).toBe(1000)
    expect(await readdir(directory)).not.toContain('stray')
    expect(await reassembled([directory])).toEqual(await sources())
  })

  const last = async (): Promise<string> =>
    (await run('find', [out, '-name', '000?'])).stdout
      .trim()
      .split('\n')
      .toSorted((a, b) => Number(a.slice(-4)) - Number(b.slice(-4)))
      .at(-1)!

  test('parts are kept where they are right, and all made again where one is not', async () => {
    const plan = await makePlan(shipments, [MEDIUM])
    const damage = join(shipments[1].directory, 'large.tar')
    const whole = await readFile(damage)
    for (const [at, kept] of [
      [3_899_999, true],
      [0, false],
    ] as const) {
      await rm(out, { recursive: true, force: true })
      const bytes = Buffer.from(whole)
      bytes[at]! ^= 1
      await writeFile(damage, bytes)
      expect((await pack(plan)).exit).toBe(82)
      await writeFile(damage, whole)
      const first = join(await staging(), 'parts')
      const folder = join(first, (await readdir(first))[0]!)
      await utimes(join(folder, '0001'), 1, 1)
      // As a run leaves it that is killed.
      if (kept) await truncate(await last(), 1000)
      const { exit } = await pack(plan)
      expect(exit).toBe(0)
      const directories = (await visible()).map((name) => join(out, name))
      expect(await reassembled(directories)).toEqual(await sources())
      for (const directory of directories)
        await run('sha256sum', ['--strict', '--quiet', '-c', 'SHA256SUMS'], { cwd: directory })
      const parts = await run('find', [out, '-name', '0001', '-printf', '%T@\n'])
      expect(Number.parseFloat(parts.stdout) === 1).toBe(kept)
    }
  })

  test('one run at a time', async () => {
    const plan = await makePlan(shipments, [MEDIUM])
    const ends = await Promise.all([pack(plan), pack(plan)])
    expect(new Set(ends.map(({ exit }) => exit))).toEqual(new Set([0, 75]))
  })
})

describe('options', () => {
  test('an empty plan passes', async () => {
    const plan = { ...(await makePlan(shipments, [MEDIUM])), volumes: [] }
    const ran = await pack(plan)
    expect(ran).toMatchObject({
      exit: 0,
      documents: [{ kind: 'TransferPlan', result: { ok: true, changed: false } }],
    })
  })

  test.each([
    [['-'], 'USAGE_CONFLICT'],
    [['-', '--stdout', '--out', '/x'], 'USAGE_CONFLICT'],
    [['-', '--stdout', '--iso'], 'USAGE_CONFLICT'],
    [['-', '--stdout', '--encrypt-to', 'age1x'], 'USAGE_CONFLICT'],
    [['-', '--stdout', '--verify-media'], 'USAGE_CONFLICT'],
    [['-', '--out', '/x', '--encrypt-metadata'], 'USAGE_CONFLICT'],
  ])('%j is refused', async (argv, code) => {
    const plan = await makePlan(shipments, [MEDIUM])
    const ran = await runInProcess(command, [...argv, '--log-format', 'json'], {
      stdin: JSON.stringify(plan),
    })
    expect(ran).toMatchObject({ exit: 64 })
    expect(ran.stderr).toContain(code)
  })

  test('volumes by number', async () => {
    const plan = await makePlan(shipments, [MEDIUM])
    for (const number of ['0', '99', 'x', '1.0']) expect((await pack(plan, '--volume', number)).exit).toBe(64)
    expect((await pack(plan, '--volume', '2', '--volume', '1')).documents).toMatchObject([
      { number: 1 },
      { number: 2 },
    ])
  })

  test('hard links are names of the source, and are told', async () => {
    const plan = await makePlan(shipments, [UNLIMITED])
    expect((await pack(plan, '--link', 'hard')).exit).toBe(0)
    const stored = join(out, (await visible())[0]!, 'sample/seq2-sample/large.tar')
    const source = join(shipments[1].directory, 'large.tar')
    expect((await stat(stored)).ino).toBe((await stat(source)).ino)
    await rm(out, { recursive: true })
    expect((await pack(plan, '--link', 'never')).exit).toBe(0)
    expect((await stat(stored)).ino).not.toBe((await stat(source)).ino)
  })

  test('everything is read back from the medium', async () => {
    const plan = await makePlan(shipments, [MEDIUM])
    const ran = await pack(plan, '--verify-media')
    expect(ran.exit).toBe(0)
    expect(await reassembled((await visible()).map((name) => join(out, name)))).toEqual(await sources())
  })

  test('the rate is kept to', async () => {
    const plan = await makePlan(shipments, [UNLIMITED], [1])
    const begun = performance.now()
    expect((await pack(plan, '--rate-limit', '250kB')).exit).toBe(0)
    // 0.1 MB, of which a quarter of a second may be at once.
    expect(performance.now() - begun).toBeGreaterThan(140)
  })

  test('a directory that cannot be written', async () => {
    await writeFile(out, '')
    expect((await pack(await makePlan(shipments, [MEDIUM]))).exit).toBe(73)
    await chmod(out, 0o644)
  })
})
