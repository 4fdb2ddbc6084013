import { chmod, chown, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { geteuid } from 'node:process'
import type { TrustPolicy } from '@carryall/schemas'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { readTrust } from './read-trust.ts'
import { makeSigner, writeTrust, type TestSigner } from './testing/index.ts'
import { takesChain, thresholdFor } from './trust.ts'

const now = new Date()
const CHAIN = '3f0b6c9e-8a51-4f0d-9d6e-2a4b7c1d9e10'
const OTHER = '7c5d3a0e-1f2b-4c3d-8e4f-5a6b7c8d9e0f'

let one: TestSigner
let two: TestSigner
let directory: string

beforeAll(async () => {
  one = await makeSigner('one@carryall.example')
  two = await makeSigner('two@carryall.example')
})
afterAll(async () => {
  await one[Symbol.asyncDispose]()
  await two[Symbol.asyncDispose]()
})
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'trust-'))
})
afterEach(() => rm(directory, { recursive: true }))

const read = (path: string) => readTrust({ path, now })
const pin = (signer: TestSigner, more: object = {}) => ({
  fingerprint: signer.fingerprint,
  file: `${signer.fingerprint}.asc`,
  ...more,
})

test('the file says which chains are taken, and how many keys have to sign', async () => {
  const path = await writeTrust(directory, [one, two], {
    site: 'ashore',
    threshold: 2,
    chains: [{ id: CHAIN }, { id: OTHER, threshold: 1 }],
  })
  const trust = (await read(path))!
  expect({ file: trust.file, site: trust.site, keys: [...trust.keys.keys()] }).toEqual({
    file: path,
    site: 'ashore',
    keys: [one.fingerprint, two.fingerprint],
  })
  expect([takesChain(trust, CHAIN), takesChain(trust, OTHER.replace('7', '8'))]).toEqual([true, false])
  expect([thresholdFor(trust, CHAIN), thresholdFor(trust, OTHER)]).toEqual([2, 1])
  const plain = (await read(await writeTrust(directory, [one])))!
  expect([takesChain(plain, CHAIN), thresholdFor(plain, CHAIN), plain.site]).toEqual([true, 1, undefined])
})

test("the system's own file may be absent, one that is named may not", async () => {
  expect(await readTrust({ etc: directory, now })).toBeUndefined()
  await expect(read(join(directory, 'trust.yaml'))).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' })
  await writeTrust(directory, [one])
  expect((await readTrust({ etc: directory, now }))?.keys.size).toBe(1)
})

test('a key file is relative to the trust file, or absolute, armored or binary', async () => {
  await mkdir(join(directory, 'keys'))
  const binary = join(directory, 'keys', 'two.gpg')
  await writeFile(binary, await two.gpg(['--export', two.fingerprint]))
  await writeFile(join(directory, 'keys', 'one.asc'), one.publicKey)
  const path = await writeTrust(directory, [], {
    keys: [pin(one, { file: 'keys/one.asc' }), pin(two, { file: binary })],
  })
  expect((await read(path))?.keys.size).toBe(2)
})

type Keys = TrustPolicy['keys']
const invalid: readonly (readonly [string, string, () => Partial<TrustPolicy> | object])[] = [
  ['an unknown key', '#/treshold', () => ({ treshold: 2 })],
  [
    'a fingerprint with spaces',
    '#/keys/0/fingerprint',
    () => ({ keys: [pin(one, { fingerprint: 'AB CD' })] }),
  ],
  [
    'a short key id',
    '#/keys/0/fingerprint',
    () => ({ keys: [pin(one, { fingerprint: one.fingerprint.slice(-16) })] }),
  ],
  ['no keys', '#/keys', () => ({ keys: [] })],
  ['a threshold of none', '#/threshold', () => ({ threshold: 0 })],
  ['a threshold that cannot be met', '#/threshold', () => ({ threshold: 3 })],
  [
    'keys of a site count for no threshold',
    '#/threshold',
    () => ({ threshold: 2, sites: [{ name: 'a', keys: [two.fingerprint] }] }),
  ],
  [
    'a chain whose threshold cannot be met',
    '#/chains/0',
    () => ({ chains: [{ id: CHAIN, keys: [one.fingerprint], threshold: 2 }] }),
  ],
  ['a key named twice', '#/keys/1', () => ({ keys: [pin(one), pin(one)] })],
  ['a chain named twice', '#/chains/1', () => ({ chains: [{ id: CHAIN }, { id: CHAIN }] })],
  [
    'a chain with a key that is not pinned',
    '#/chains/0/keys/0',
    () => ({ keys: [pin(one)], chains: [{ id: CHAIN, keys: [two.fingerprint] }] }),
  ],
  [
    'a site with a key that is not pinned',
    '#/sites/0/keys/0',
    () => ({ keys: [pin(one)], sites: [{ name: 'a', keys: [two.fingerprint] }] }),
  ],
  [
    'the key of somebody else in the file',
    '#/keys/0',
    () => ({ keys: [pin(one, { file: `${two.fingerprint}.asc` })] }),
  ],
  ['a key file that is not there', '#/keys/1', () => ({ keys: [pin(one), pin(two, { file: 'gone.asc' })] })],
  ['a key file outside by ..', '#/keys/0/file', () => ({ keys: [pin(one, { file: '../one.asc' })] })],
  [
    'an endorsement by a later key',
    '#/keys/0/endorsed_by/fingerprint',
    () => ({ keys: [pin(one, { endorsed_by: { fingerprint: two.fingerprint, signature: 'x' } }), pin(two)] }),
  ],
  [
    'an endorsement by itself',
    '#/keys/0/endorsed_by/fingerprint',
    () => ({ keys: [pin(one, { endorsed_by: { fingerprint: one.fingerprint, signature: 'x' } })] }),
  ],
]
test.each(invalid)('CONFIG_INVALID with file and pointer: %s', async (_, pointer, more) => {
  const path = await writeTrust(directory, [one, two], more() as Partial<TrustPolicy>)
  await expect(read(path)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    details: { pointer, location: { file: path } },
  })
})

test('what is no trust file at all', async () => {
  const path = join(directory, 'trust.yaml')
  for (const text of ['', 'a: [', 'apiVersion: carryall/v1\nkind: Settings\n', '---\na: 1\n---\nb: 2\n']) {
    await writeFile(path, text)
    await expect(read(path)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  }
  await writeFile(path, `# ${'x'.repeat(1024 * 1024)}`)
  await expect(read(path)).rejects.toMatchObject({ code: 'INPUT_TOO_LARGE' })
})

test('a key file with a second key, or none, does not pin', async () => {
  const path = await writeTrust(directory, [one])
  const file = join(directory, `${one.fingerprint}.asc`)
  const binary = await one.gpg(['--export', one.fingerprint])
  for (const bytes of [
    Buffer.concat([binary, await two.gpg(['--export', two.fingerprint])]),
    Buffer.from('x'),
    Buffer.alloc(0),
  ]) {
    await writeFile(file, bytes)
    await expect(read(path)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      details: { pointer: '#/keys/0' },
    })
  }
})

test('files and directories that others may change are refused', async () => {
  const path = await writeTrust(directory, [one])
  const key = join(directory, `${one.fingerprint}.asc`)
  for (const [file, right] of [
    [path, 0o644],
    [key, 0o644],
    [directory, 0o755],
  ] as const) {
    for (const wrong of [right | 0o020, right | 0o002, right | 0o1002]) {
      await chmod(file, wrong)
      await expect(read(path)).rejects.toMatchObject({
        code: 'FILE_MODE_UNSAFE',
        details: { subject: { name: file } },
      })
    }
    await chmod(file, right)
  }
  expect(await read(path)).toBeDefined()
})

test.runIf(geteuid?.() === 0)('files of another user are refused', async () => {
  const path = await writeTrust(directory, [one])
  for (const file of [path, join(directory, `${one.fingerprint}.asc`), directory]) {
    await chown(file, 1234, 0)
    await expect(read(path)).rejects.toMatchObject({ code: 'FILE_MODE_UNSAFE', details: { actual: 1234 } })
    await chown(file, 0, 0)
  }
  expect(await read(path)).toBeDefined()
})

test('a link leads to a directory that is judged, too', async () => {
  const open = join(directory, 'open')
  await mkdir(open)
  await writeTrust(open, [one])
  await chmod(open, 0o777)
  const shut = join(directory, 'shut')
  await mkdir(shut, { mode: 0o755 })
  await symlink(join(open, 'trust.yaml'), join(shut, 'trust.yaml'))
  await expect(read(join(shut, 'trust.yaml'))).rejects.toMatchObject({ code: 'FILE_MODE_UNSAFE' })
})

/** A trust file where `one` was followed by `two`. */
async function rotated(
  by: TestSigner,
  more: { first?: object; policy?: object; signed?: Buffer } = {},
): Promise<string> {
  const first = { fingerprint: by.fingerprint, file: `${by.fingerprint}.asc`, ...more.first }
  const endorsed_by = { fingerprint: by.fingerprint, signature: 'two.asc.asc' }
  const keys = [first, pin(two, { endorsed_by })] as Keys
  const path = await writeTrust(directory, [by, two], { keys, ...more.policy })
  await writeFile(join(directory, 'two.asc.asc'), await by.sign(more.signed ?? two.publicKey))
  return path
}

test('a rotated key counts with the signature of the one before it', async () => {
  expect((await read(await rotated(one)))?.keys.size).toBe(2)
  await using expired = await makeSigner('x@carryall.example', { at: '20200101T000000', expires: '1y' })
  expect((await read(await rotated(expired)))?.keys.size).toBe(2)
  const path = await rotated(expired, { first: { not_after: '2020-06-01T00:00:00Z' } })
  expect((await read(path))?.keys.size).toBe(2)
})

test('an endorsement that does not hold is CONFIG_INVALID with the key', async () => {
  const refused = { code: 'CONFIG_INVALID', details: { pointer: '#/keys/1' } }
  const signature = join(directory, 'two.asc.asc')
  await expect(read(await rotated(one, { signed: one.publicKey }))).rejects.toMatchObject(refused)
  await expect(read(await rotated(one, { policy: { revoked: [one.fingerprint] } }))).rejects.toMatchObject(
    refused,
  )
  const early = await rotated(one, { first: { not_after: '2020-01-01T00:00:00Z' } })
  await expect(read(early)).rejects.toMatchObject(refused)

  const path = await rotated(one)
  await writeFile(signature, await two.sign(two.publicKey))
  await expect(read(path)).rejects.toMatchObject(refused)
  await writeFile(signature, await one.gpg(['--clear-sign'], two.publicKey))
  await expect(read(path)).rejects.toMatchObject(refused)
  await writeFile(
    signature,
    await one.gpg(
      ['--default-sig-expire', 'seconds=1', '--faked-system-time', '20990101T000000', '--detach-sign'],
      two.publicKey,
    ),
  )
  await expect(read(path)).rejects.toMatchObject(refused)
  await rm(signature)
  await expect(read(path)).rejects.toMatchObject(refused)

  await using revoked = await makeSigner('r@carryall.example')
  const other = await rotated(revoked)
  await revoked.revoke()
  await writeFile(
    join(directory, `${revoked.fingerprint}.asc`),
    await revoked.gpg(['--export', revoked.fingerprint]),
  )
  await expect(read(other)).rejects.toMatchObject(refused)
})
