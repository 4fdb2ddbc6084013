import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, afterEach, expect, test } from 'vitest'
import type { TrustPolicy } from '@carryall/schemas'
import { checkSignatures } from './check-signatures.ts'
import { readTrust } from './read-trust.ts'
import { makeSigner, writeTrust, type TestSigner } from './testing/index.ts'
import type { Trust } from './trust.ts'

const DATA = Buffer.from('0123  a file\n')
const CHAIN = '3f0b6c9e-8a51-4f0d-9d6e-2a4b7c1d9e10'
const OTHER_CHAIN = '7c5d3a0e-1f2b-4c3d-8e4f-5a6b7c8d9e0f'

let one: TestSigner
let two: TestSigner
let directory: string

beforeAll(async () => {
  one = await makeSigner('one@carryall.example')
  two = await makeSigner('two@carryall.example', { algorithm: 'rsa2048' })
})
afterAll(async () => {
  await one[Symbol.asyncDispose]()
  await two[Symbol.asyncDispose]()
})
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'trust-'))
})
afterEach(() => rm(directory, { recursive: true }))

type Keys = readonly { readonly fingerprint: string; readonly publicKey: Buffer }[]

async function trusting(keys: Keys, more: Partial<TrustPolicy> = {}): Promise<Trust> {
  const path = await writeTrust(directory, keys, more)
  return (await readTrust({ path, now: new Date() }))!
}

/** Who signed, and the codes of what does not count. */
async function check(
  trust: Trust,
  signatures: readonly Buffer[],
  purpose: { readonly chain?: string; readonly site?: string; readonly data?: Buffer } = {},
) {
  const { signers, faults } = await checkSignatures(trust, {
    data: DATA,
    ...purpose,
    signatures: signatures.map((bytes, index) => ({ name: `${index}.asc`, bytes })),
  })
  return { signers, faults: faults.map(({ code }) => code) }
}

test('different keys that are pinned count once each, armored or binary', async () => {
  const trust = await trusting([one, two])
  const [first, second] = [await one.sign(DATA), await two.sign(DATA)]
  const binary = await one.gpg(['--detach-sign'], DATA)
  expect(await check(trust, [first, second, binary])).toEqual({
    signers: [one.fingerprint, two.fingerprint].toSorted(),
    faults: [],
  })
  expect(await check(trust, [])).toEqual({ signers: [], faults: [] })
})

test('a signature by a subkey counts for its primary key', async () => {
  await using signer = await makeSigner()
  await signer.gpg(['--quick-add-key', signer.fingerprint, 'ed25519', 'sign', 'never'])
  const publicKey = await signer.gpg(['--armor', '--export', signer.fingerprint])
  const [signature, before] = [
    await signer.sign(DATA),
    await signer.gpg(['--detach-sign', '-u', `${signer.fingerprint}!`], DATA),
  ]
  const { fingerprint } = signer
  expect(await check(await trusting([{ fingerprint, publicKey }]), [signature, before])).toEqual({
    signers: [fingerprint],
    faults: [],
  })
  // Without the subkey nobody knows the signature.
  expect(await check(await trusting([signer]), [signature])).toEqual({
    signers: [],
    faults: ['SIG_UNKNOWN_KEY'],
  })
  // Two of the same key are one signer, so a threshold of two is not met by one person.
  expect(
    (await check(await trusting([{ fingerprint, publicKey }]), [signature, before])).signers,
  ).toHaveLength(1)
})

test('other bytes, other keys, and what is no detached signature', async () => {
  const trust = await trusting([one])
  const signature = await one.sign(DATA)
  const binary = await one.gpg(['--detach-sign'], DATA)
  const flipped = Buffer.from(binary)
  flipped[flipped.length - 3]! ^= 1
  const table: readonly (readonly [Buffer, string])[] = [
    [await one.sign('other bytes'), 'SIG_INVALID'],
    [flipped, 'SIG_INVALID'],
    [await two.sign(DATA), 'SIG_UNKNOWN_KEY'],
    [Buffer.concat([signature, signature]), 'SIG_INVALID'],
    [Buffer.concat([binary, binary]), 'SIG_INVALID'],
    [Buffer.concat([binary, await two.gpg(['--detach-sign'], DATA)]), 'SIG_INVALID'],
    [await one.gpg(['--clear-sign'], DATA), 'SIG_INVALID'],
    [await one.gpg(['--sign'], DATA), 'SIG_INVALID'],
    [await one.gpg(['--store'], DATA), 'SIG_INVALID'],
    [one.publicKey, 'SIG_INVALID'],
    [binary.subarray(0, -1), 'SIG_INVALID'],
    [Buffer.concat([binary, Buffer.of(0)]), 'SIG_INVALID'],
    [Buffer.alloc(0), 'SIG_INVALID'],
    [Buffer.from('[GNUPG:] GOODSIG 0 x\n'), 'SIG_INVALID'],
    [Buffer.alloc(100_000, 0x88), 'SIG_INVALID'],
  ]
  expect(
    await check(
      trust,
      table.map(([bytes]) => bytes),
    ),
  ).toEqual({
    signers: [],
    faults: table.map(([, code]) => code),
  })
  // One that is bad does not spoil one that is good.
  expect(await check(trust, [await two.sign(DATA), signature])).toEqual({
    signers: [one.fingerprint],
    faults: ['SIG_UNKNOWN_KEY'],
  })
})

test('only signatures over the bytes of a file, with a hash of today', async () => {
  const made = (...flags: readonly string[]) => two.gpg([...flags, '--armor', '--detach-sign'], DATA)
  const weak = [await made('--digest-algo', 'SHA1'), await made('--digest-algo', 'RIPEMD160')]
  const trust = await trusting([two])
  expect(await check(trust, [...weak, await made('--textmode')])).toEqual({
    signers: [],
    faults: ['SIG_INVALID', 'SIG_INVALID', 'SIG_INVALID'],
  })
  const strong = ['SHA224', 'SHA256', 'SHA384', 'SHA512'].map((hash) => made('--digest-algo', hash))
  expect(await check(trust, await Promise.all(strong))).toEqual({ signers: [two.fingerprint], faults: [] })
})

test('every byte of a signature counts, but for hints that nobody signs', async () => {
  const trust = await trusting([one])
  const binary = await one.gpg(['--detach-sign'], DATA)
  // RFC 9580, 5.2.3: behind the header of two bytes, what nobody signs is between the hashed part and the numbers:
  // hints and the first two bytes of the hash.
  const hints = 2 + 6 + binary.readUInt16BE(6)
  const behind = hints + 2 + binary.readUInt16BE(hints) + 2
  const flipped = [...binary.keys()]
    .filter((at) => at < hints || at >= behind)
    .map((at) => {
      const copy = Buffer.from(binary)
      copy[at]! ^= 0x80
      return copy
    })
  const { signers, faults } = await check(trust, flipped)
  expect({ signers, faults: faults.length }).toEqual({ signers: [], faults: flipped.length })
  expect(await check(trust, [binary], { data: Buffer.concat([DATA, Buffer.of(10)]) })).toEqual({
    signers: [],
    faults: ['SIG_INVALID'],
  })
})

test('a revoked key does not count: by its certificate, or by the trust file', async () => {
  await using signer = await makeSigner()
  const signature = await signer.sign(DATA)
  expect(await check(await trusting([signer], { revoked: [signer.fingerprint] }), [signature])).toEqual({
    signers: [],
    faults: ['SIG_KEY_REVOKED'],
  })
  await signer.revoke()
  const publicKey = await signer.gpg(['--armor', '--export', signer.fingerprint])
  expect(await check(await trusting([{ fingerprint: signer.fingerprint, publicKey }]), [signature])).toEqual({
    signers: [],
    faults: ['SIG_KEY_REVOKED'],
  })
})

test('an expired key, an expired signature, and one made after not_after do not count', async () => {
  await using expired = await makeSigner('x@carryall.example', { at: '20200101T000000', expires: '1y' })
  await using old = await makeSigner('y@carryall.example', { at: '20200101T000000' })
  const short = await old.gpg(['--default-sig-expire', '30d', '--detach-sign'], DATA)
  const long = await old.sign(DATA)
  const trust = await trusting([expired, old])
  expect(await check(trust, [await expired.sign(DATA), short])).toEqual({
    signers: [],
    faults: ['SIG_KEY_EXPIRED', 'SIG_KEY_EXPIRED'],
  })
  expect(await check(trust, [long])).toEqual({ signers: [old.fingerprint], faults: [] })
  const until = (not_after: string) =>
    trusting([old], { keys: [{ fingerprint: old.fingerprint, file: `${old.fingerprint}.asc`, not_after }] })
  expect((await check(await until('2019-12-31T23:59:59Z'), [long])).faults).toEqual(['SIG_KEY_EXPIRED'])
  expect((await check(await until('2020-02-01T00:00:00Z'), [long])).signers).toEqual([old.fingerprint])
})

test('a chain may name its keys, and those of a site sign its receipts only', async () => {
  const trust = await trusting([one, two], {
    chains: [{ id: CHAIN, keys: [one.fingerprint] }, { id: OTHER_CHAIN }],
    sites: [{ name: 'ashore', keys: [two.fingerprint] }],
  })
  const signatures = [await one.sign(DATA), await two.sign(DATA)]
  const first = { signers: [one.fingerprint], faults: ['SIG_UNKNOWN_KEY'] }
  const second = { signers: [two.fingerprint], faults: ['SIG_UNKNOWN_KEY'] }
  const none = { signers: [], faults: ['SIG_UNKNOWN_KEY', 'SIG_UNKNOWN_KEY'] }
  expect(await check(trust, signatures, { chain: CHAIN })).toEqual(first)
  expect(await check(trust, signatures, { chain: OTHER_CHAIN })).toEqual(first)
  expect(await check(trust, signatures)).toEqual(first)
  expect(await check(trust, signatures, { site: 'ashore' })).toEqual(second)
  expect(await check(trust, signatures, { site: 'afloat' })).toEqual(none)
  const both = await trusting([one, two], {
    chains: [{ id: CHAIN, keys: [one.fingerprint, two.fingerprint] }],
    sites: [{ name: 'ashore', keys: [two.fingerprint] }],
  })
  expect((await check(both, signatures, { chain: CHAIN })).signers).toHaveLength(2)
})

test('a subkey that a key claims without its consent signs nothing', async () => {
  // The forger binds the subkey of `one` to a key of its own; `--import` is not asked, the packets are put together by hand.
  await using forger = await makeSigner('forger@carryall.example')
  const key = await forger.gpg(['--export', forger.fingerprint])
  await using victim = await makeSigner('victim@carryall.example')
  await victim.gpg(['--quick-add-key', victim.fingerprint, 'ed25519', 'sign', 'never'])
  const { readPackets, Tag } = await import('./packets.ts')
  const whole = await victim.gpg(['--export', victim.fingerprint])
  const [last] = readPackets(whole)
    .filter(({ tag }) => tag === Tag.PUBLIC_SUBKEY)
    .slice(-1)
  const stolen = whole.subarray(last!.body.byteOffset - whole.byteOffset - 2)
  const publicKey = Buffer.concat([key, stolen])
  const trust = await trusting([{ fingerprint: forger.fingerprint, publicKey }])
  const { signers, faults } = await check(trust, [await victim.sign(DATA)])
  expect({ signers, faults: faults.length }).toEqual({ signers: [], faults: 1 })
})

test('nothing is left behind, and an abort throws its reason', async () => {
  const ours = async () =>
    (await readdir(tmpdir())).filter((name) => /^(carryall-|\.carryall-tmp)/.test(name))
  const before = await ours()
  const trust = await trusting([one])
  await check(trust, [await one.sign(DATA), Buffer.from('garbage')])
  const stop = new AbortController()
  stop.abort(new Error('stopped'))
  const stopped = checkSignatures(trust, {
    data: DATA,
    signatures: [{ name: 'x.asc', bytes: await one.sign(DATA) }],
    signal: stop.signal,
  })
  await expect(stopped).rejects.toThrow('stopped')
  expect((await ours()).filter((name) => !before.includes(name))).toEqual([])
})
