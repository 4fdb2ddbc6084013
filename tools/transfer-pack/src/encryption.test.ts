import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { runInProcess } from '@carryall/cli/testing'
import { parseKind, volumeKind, type TransferPlan } from '@carryall/schemas'
import type { Shipment } from '@carryall/shipment'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { command } from './command.ts'
import { makeContent, makePlan, MEDIUM, UNLIMITED } from './testing/sample-plan.ts'

const run = promisify(execFile)
let root: string
let out: string
let shipments: readonly [Shipment, Shipment]
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'crypt-'))
  out = join(root, 'out')
  shipments = await makeContent(root)
})
afterEach(async () => {
  await run('gpgconf', ['--homedir', join(root, 'gnupg'), '--kill', 'all']).catch(() => undefined)
  await rm(root, { recursive: true })
})

async function pack(plan: TransferPlan, ...flags: readonly string[]) {
  return runInProcess(command, ['-', '--out', out, ...flags], { stdin: JSON.stringify(plan) })
}

const volumes = async (): Promise<readonly string[]> =>
  (await readdir(out))
    .filter((name) => !name.startsWith('.'))
    .toSorted()
    .map((name) => join(out, name))

/** A key of age: its file and whom to encrypt to. */
async function ageKey(): Promise<{ readonly identity: string; readonly recipient: string }> {
  const identity = join(root, 'identity')
  await run('age-keygen', ['-o', identity])
  return { identity, recipient: (await run('age-keygen', ['-y', identity])).stdout.trim() }
}

/** A signing key of OpenPGP in a home of its own. */
async function gpgKey(): Promise<{ readonly home: string; readonly fingerprint: string }> {
  const home = join(root, 'gnupg')
  await run('mkdir', ['-m', '700', home])
  const gpg = ['--homedir', home, '--batch', '--passphrase', '']
  await run('gpg', [...gpg, '--quick-generate-key', 'packer@a.example', 'ed25519', 'sign', 'never'])
  const { stdout } = await run('gpg', [...gpg, '--with-colons', '--list-keys'])
  return { home, fingerprint: /^fpr:+([0-9A-F]{40}):/m.exec(stdout)![1]! }
}

async function ciphertexts(directory: string): Promise<readonly string[]> {
  const { stdout } = await run('find', ['.', '-type', 'f', '-printf', '%P\n'], { cwd: directory })
  return stdout.trim().split('\n').toSorted()
}

test('files are encrypted, metadata is not; the sums are those of what is there', async () => {
  const { identity, recipient } = await ageKey()
  const plan = await makePlan(shipments, [MEDIUM])
  expect(await pack(plan, '--encrypt-to', recipient)).toMatchObject({ exit: 0 })
  const pieces = new Map<string, Buffer[]>()
  for (const directory of await volumes()) {
    await run('sha256sum', ['--strict', '--quiet', '-c', 'SHA256SUMS'], { cwd: directory })
    const document = parseKind(
      volumeKind,
      JSON.parse(await readFile(join(directory, 'volume.json'), 'utf8')),
      'v',
    )
    expect(document.encryption).toBe('age')
    for (const { stored } of document.metadata)
      expect((await stat(join(directory, stored))).isFile()).toBe(true)
    for (const entry of document.entries) {
      expect(entry.stored).toMatch(/\.age$/)
      const plain = await run('age', ['-d', '-i', identity, join(directory, entry.stored)], {
        ...{ encoding: 'buffer' as const, maxBuffer: 2 ** 24 },
      })
      expect(plain.stdout.length).toBe(entry.size_bytes)
      const key = join('content', entry.shipment, entry.path)
      pieces.set(key, [...(pieces.get(key) ?? []), plain.stdout])
    }
  }
  for (const [path, parts] of pieces)
    expect(Buffer.concat(parts).equals(await readFile(join(root, path)))).toBe(true)
  const again = await pack(plan, '--encrypt-to', recipient)
  expect(again.documents.every(({ result }) => !(result as { changed: boolean }).changed)).toBe(true)
  expect((await pack(plan)).exit).toBe(82)
})

test('nothing tells what is in it where metadata is encrypted as well', async () => {
  const { identity, recipient } = await ageKey()
  const plan = await makePlan(shipments, [UNLIMITED])
  expect(await pack(plan, '--encrypt-to', recipient, '--encrypt-metadata')).toMatchObject({ exit: 0 })
  const [directory] = await volumes()
  const names = await ciphertexts(directory!)
  expect(names.filter((name) => !/^(metadata|content)\/\d{6}\.age$/.test(name))).toEqual([
    'SHA256SUMS',
    'volume.json.age',
  ])
  const { stdout } = await run('age', ['-d', '-i', identity, join(directory!, 'volume.json.age')])
  const document = parseKind(volumeKind, JSON.parse(stdout), 'volume.json')
  for (const { stored } of [...document.entries, ...document.metadata]) expect(names).toContain(stored)
  expect((await pack(plan, '--encrypt-to', recipient, '--encrypt-metadata')).documents[0]).toMatchObject({
    result: { changed: false },
  })
})

test('an image of encrypted files', async () => {
  const { recipient } = await ageKey()
  const plan = await makePlan(shipments, [UNLIMITED])
  expect(await pack(plan, '--encrypt-to', recipient, '--iso')).toMatchObject({ exit: 0 })
  const [file] = await volumes()
  expect(file).toMatch(/\.iso$/)
  expect(await readdir(out)).toHaveLength(2)
  const at = join(root, 'read')
  await run('xorriso', ['-osirrox', 'on', '-indev', file!, '-extract', '/', at])
  await run('sha256sum', ['--strict', '--quiet', '-c', 'SHA256SUMS'], { cwd: at })
})

test('volumes are signed, also those that are there', async () => {
  const { home, fingerprint } = await gpgKey()
  const plan = await makePlan(shipments, [UNLIMITED])
  const signing = ['--sign-key', fingerprint, '--gpg-home', home]
  const keyring = join(root, 'keyring')
  await run('gpg', ['--homedir', home, '--output', keyring, '--export'])
  for (const first of [signing, []]) {
    await rm(out, { recursive: true, force: true })
    await pack(plan, ...first)
    const second = await pack(plan, ...signing)
    expect(second.documents[0]).toMatchObject({ result: { ok: true, changed: first.length === 0 } })
    const [directory] = await volumes()
    const signature = join(directory!, `SHA256SUMS.${fingerprint}.asc`)
    await run('gpgv', ['--keyring', keyring, signature, join(directory!, 'SHA256SUMS')])
    expect((await pack(plan)).documents[0]).toMatchObject({ result: { changed: false } })
  }
  await rm(out, { recursive: true })
  expect((await pack(plan, '--iso', ...signing)).exit).toBe(0)
})

test('keys that are none', async () => {
  const plan = await makePlan(shipments, [UNLIMITED])
  await writeFile(join(root, 'nothing'), '')
  for (const flags of [
    ['--encrypt-to', join(root, 'nothing')],
    ['--encrypt-to', 'F'.repeat(40)],
    ['--sign-key', 'nobody@b.example'],
  ])
    expect((await pack(plan, ...flags)).exit).not.toBe(0)
  await expect(readdir(out)).rejects.toMatchObject({ code: 'ENOENT' })
})
