import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { runInProcess, type Ran } from '@carryall/cli/testing'
import type { TrustPolicy } from '@carryall/schemas'
import type { Shipment } from '@carryall/shipment'
import { makeShipment } from '@carryall/shipment/testing'
import { makeSigner, writeTrust, type TestSigner } from '@carryall/trust/testing'
import { command } from './command.ts'

const run = promisify(execFile)

let one: TestSigner
let two: TestSigner
let directory: string
let content: string
let chain: readonly Shipment[]

beforeAll(async () => {
  one = await makeSigner('one@carryall.example')
  two = await makeSigner('two@carryall.example')
})
afterAll(async () => {
  await one[Symbol.asyncDispose]()
  await two[Symbol.asyncDispose]()
})
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sign-'))
  content = join(directory, 'content')
  const first = await makeShipment(content, { number: 1 })
  chain = [first, await makeShipment(content, { number: 2, previous: first })]
  return () => rm(directory, { recursive: true })
})

const seqMeta = (argv: readonly string[], etc = '/nonexistent'): Promise<Ran> =>
  runInProcess(command, argv, { cwd: directory, etc })
const sign = (signer: TestSigner, ...argv: readonly string[]) =>
  seqMeta(['sign', '--sign-key', signer.fingerprint, '--gpg-home', signer.home, ...argv])
const verify = (...argv: readonly string[]) => seqMeta(['verify', ...argv])
const trusting = (signers: readonly TestSigner[], more: Partial<TrustPolicy> = {}) =>
  writeTrust(join(directory, 'etc'), signers, more)
const results = (ran: Ran) => ran.documents.map(({ result }) => result)
const codes = (ran: Ran) =>
  ran.documents.map(({ faults }) => (faults as { code: string }[]).map(({ code }) => code))

const signatures = async ({ directory: at }: Shipment) =>
  (await readdir(at)).filter((name) => name.endsWith('.asc')).toSorted()
const nameFor = ({ fingerprint }: TestSigner) => `SHA256SUMS.${fingerprint}.asc`

test('signs each shipment once, beside the signatures of others', async () => {
  const signed = await sign(one, ...chain.map((shipment) => shipment.directory))
  expect(signed.exit, signed.stderr).toBe(0)
  expect(signed.documents).toMatchObject(
    chain.map(({ metadata, directory: at, metadataDigest }) => ({
      kind: 'Sample',
      name: metadata.name,
      result: {
        ok: true,
        changed: true,
        directory: at,
        metadata_digest: metadataDigest,
        signer: one.fingerprint,
      },
    })),
  )
  const [first] = chain
  const before = await readFile(join(first!.directory, nameFor(one)))
  expect(results(await sign(one, content))).toMatchObject([{ changed: false }, { changed: false }])
  expect(await readFile(join(first!.directory, nameFor(one)))).toEqual(before)
  expect(results(await sign(two, first!.directory))).toMatchObject([{ changed: true }])
  expect(await signatures(first!)).toEqual([nameFor(one), nameFor(two)].toSorted())

  // gpgv alone checks it, and the shipment is still whole.
  const keyring = join(directory, 'keyring')
  await writeFile(keyring, await one.gpg(['--export', one.fingerprint]))
  const files = [nameFor(one), 'SHA256SUMS'].map((name) => join(first!.directory, name))
  expect((await run('gpgv', ['--keyring', keyring, ...files])).stderr).toContain('Good signature')
  expect((await verify(content)).exit).toBe(0)
})

test('a signature that is there and bad is made anew', async () => {
  const [first] = chain
  const file = join(first!.directory, nameFor(one))
  for (const bytes of [Buffer.from('garbage'), await one.sign('other bytes'), await two.sign('x')]) {
    await writeFile(file, bytes)
    expect(results(await sign(one, first!.directory))).toMatchObject([{ changed: true }])
    expect(results(await sign(one, first!.directory))).toMatchObject([{ changed: false }])
  }
})

test('a dry run says what it would sign', async () => {
  expect(results(await sign(one, '--dry-run', content))).toMatchObject([{ changed: true }, { changed: true }])
  expect(await signatures(chain[0]!)).toEqual([])
})

test('nothing is signed where one of the shipments is not whole', async () => {
  const [first, second] = chain
  const sums = join(second!.directory, 'SHA256SUMS')
  const right = await readFile(sums, 'utf8')
  for (const [file, bytes, exit] of [
    ['payload.bin', 'shorter', 82],
    ['stray', 'x', 82],
    ['SHA256SUMS', right.replace(/^./, '0'), 82],
    ['SHA256SUMS', '', 82],
  ] as const) {
    const path = join(second!.directory, file)
    const before = await readFile(path).catch(() => undefined)
    await writeFile(path, bytes)
    const ran = await sign(one, content)
    expect(ran.exit, file).toBe(exit)
    expect(ran.documents).toMatchObject([{ kind: 'Failure', result: { ok: false, changed: false } }])
    expect(await signatures(first!)).toEqual([])
    await (before === undefined ? rm(path) : writeFile(path, before))
  }
  expect((await sign(one, content)).exit).toBe(0)
})

test('a key that is not there, or not named', async () => {
  expect((await seqMeta(['sign', content])).exit).toBe(64)
  expect((await seqMeta(['sign', '--sign-key', 'nobody', '--gpg-home', one.home, content])).exit).toBe(80)
  expect((await seqMeta(['sign', '--sign-key', 'x', '--gpg-home', 'gone', content])).exit).toBe(66)
})

test('with a trust file verify demands signatures, and says whose it found', async () => {
  const trust = await trusting([one])
  expect((await verify(content)).documents).toMatchObject([{ signed: false }, { signed: false }])
  const unsigned = await verify('--trust', trust, content)
  expect(unsigned.exit).toBe(80)
  expect(codes(unsigned)).toEqual([['SIG_MISSING'], ['SIG_MISSING']])

  // A later one vouches for those that it continues, not the other way round.
  await sign(one, chain[0]!.directory)
  expect(codes(await verify('--trust', trust, content))).toEqual([[], ['SIG_MISSING']])
  await rm(join(chain[0]!.directory, nameFor(one)))
  await sign(one, chain[1]!.directory)
  const vouched = await verify('--trust', trust, content)
  expect(vouched.exit, vouched.stderr).toBe(0)
  expect(vouched.documents).toMatchObject([
    { signed: true, signers: [] },
    { signed: true, signers: [one.fingerprint] },
  ])

  // The file of the system counts where none is named.
  const standing = await seqMeta(['verify', content], join(directory, 'etc'))
  expect(standing.documents).toMatchObject([{ signed: true }, { signed: true }])
  const table = await verify('--trust', trust, '-o', 'table', content)
  expect(table.stdout).toMatch(/^seq2-sample +full .* 1 .* whole$/m)
})

test('too few, unknown, changed and revoked signatures', async () => {
  const [first] = chain
  const at = first!.directory
  await sign(one, at)
  const checked = async (...parameters: Parameters<typeof trusting>) => {
    const ran = await verify('--trust', await trusting(...parameters), at)
    return { exit: ran.exit, codes: codes(ran)[0] }
  }
  expect(await checked([one, two], { threshold: 2 })).toEqual({ exit: 80, codes: ['SIG_THRESHOLD'] })
  expect(await checked([two])).toEqual({ exit: 80, codes: ['SIG_UNKNOWN_KEY'] })
  expect(await checked([one], { revoked: [one.fingerprint] })).toEqual({
    exit: 80,
    codes: ['SIG_KEY_REVOKED'],
  })
  expect(await checked([one], { chains: [{ id: '7c5d3a0e-1f2b-4c3d-8e4f-5a6b7c8d9e0f' }] })).toEqual({
    exit: 81,
    codes: ['SEQ_WRONG_CHAIN'],
  })
  await sign(two, at)
  expect(await checked([one, two], { threshold: 2 })).toEqual({ exit: 0, codes: [] })
  // One that nobody knows here does no harm, one that was changed is told.
  expect(await checked([one])).toEqual({ exit: 0, codes: [] })
  await writeFile(join(at, nameFor(two)), 'garbage')
  expect(await checked([one])).toEqual({ exit: 80, codes: ['SIG_INVALID'] })
  // Sums that do not name the metadata vouch for nothing.
  await writeFile(join(at, 'SHA256SUMS'), '')
  expect((await checked([one])).codes).toContain('SIG_MISSING')
})

test('a trust file that is wrong stops verify before anything is read', async () => {
  expect((await verify('--trust', 'gone.yaml', content)).exit).toBe(66)
  const file = await trusting([one], { threshold: 9 })
  expect((await verify('--trust', file, content)).exit).toBe(78)
})
