import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSigner } from './open-signer.ts'
import { signDetached } from './sign-detached.ts'
import { makeSigner, type TestSigner } from './testing/index.ts'

const DATA = Buffer.from('0123  a file\n')
let signer: TestSigner
let directory: string

beforeAll(async () => {
  signer = await makeSigner('signer@carryall.example')
  directory = await mkdtemp(join(tmpdir(), 'signer-'))
})
afterAll(async () => {
  await signer[Symbol.asyncDispose]()
  await rm(directory, { recursive: true })
})

test('signs with a key named in any way, its home in the environment or given', async () => {
  const { fingerprint, env, home } = signer
  for (const key of [fingerprint, fingerprint.slice(-16), 'signer@carryall.example', `${fingerprint}!`]) {
    const { armored, ...rest } = await signDetached(DATA, { key, env })
    expect(rest).toEqual({ fingerprint })
    const opened = await openSigner({ key, env: { HOME: directory }, home })
    expect(opened.fingerprint).toBe(fingerprint)
    expect(await opened.hasSigned(DATA, armored)).toBe(true)
    expect(await opened.hasSigned(Buffer.from('other'), armored)).toBe(false)
  }
})

test('the signature is over the bytes, with SHA-512, whatever gpg.conf says', async () => {
  await using own = await makeSigner()
  await writeFile(join(own.home, 'gpg.conf'), 'textmode\ncomment from gpg.conf\ndigest-algo SHA1\n')
  const { armored } = await signDetached(DATA, { key: own.fingerprint, env: own.env })
  expect(armored.toString()).not.toContain('gpg.conf')
  const packets = await own.gpg(['--list-packets'], armored)
  expect(packets.toString()).toMatch(/sigclass 0x00[\s\S]*digest algo 10,/)
})

test("another's signature, and garbage, are not this key's", async () => {
  await using other = await makeSigner('other@carryall.example')
  const opened = await openSigner({ key: signer.fingerprint, env: signer.env })
  expect(await opened.hasSigned(DATA, await other.sign(DATA))).toBe(false)
  expect(await opened.hasSigned(DATA, Buffer.from('garbage'))).toBe(false)
})

test('a key that gpg does not have, or has several of', async () => {
  const open = (key: string, env = signer.env) => openSigner({ key, env })
  await expect(open('nobody@carryall.example')).rejects.toMatchObject({ code: 'SIG_UNKNOWN_KEY' })
  await expect(open(signer.fingerprint, { HOME: directory })).rejects.toMatchObject({
    code: 'SIG_UNKNOWN_KEY',
  })
  // The public part alone cannot sign.
  await using reader = await makeSigner('reader@carryall.example')
  await reader.gpg(['--import'], signer.publicKey)
  await expect(open(signer.fingerprint, reader.env)).rejects.toMatchObject({ code: 'SIG_UNKNOWN_KEY' })
  await reader.gpg(['--quick-gen-key', 'second reader@carryall.example', 'ed25519', 'sign'])
  await expect(open('reader@carryall.example', reader.env)).rejects.toMatchObject({ code: 'USAGE_BAD_VALUE' })
  const gone = openSigner({ key: 'x', env: {}, home: join(directory, 'gone') })
  await expect(gone).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' })
})

test('a passphrase comes from a file that is closed to others', async () => {
  await using locked = await makeSigner('locked@carryall.example', { passphrase: 'open sesame' })
  const forget = () => locked.killAgent()
  const passphraseFile = join(directory, 'passphrase')
  await writeFile(passphraseFile, 'open sesame\n', { mode: 0o600 })
  const options = { key: locked.fingerprint, env: locked.env, passphraseFile }

  await forget()
  expect((await signDetached(DATA, options)).fingerprint).toBe(locked.fingerprint)
  await forget()
  await writeFile(passphraseFile, 'wrong\n')
  await expect(signDetached(DATA, options)).rejects.toMatchObject({
    code: 'EXEC_FAILED',
    details: { hint: expect.stringContaining('passphrase-file') },
  })
  await chmod(passphraseFile, 0o640)
  await expect(signDetached(DATA, options)).rejects.toMatchObject({ code: 'FILE_MODE_UNSAFE' })
  // Nobody is there to be asked.
  const asked = signDetached(DATA, { key: locked.fingerprint, env: locked.env })
  await expect(asked).rejects.toMatchObject({
    code: 'EXEC_FAILED',
    details: { hint: expect.stringContaining('GPG_TTY') },
  })
})

test('an expired key signs nothing', async () => {
  await using expired = await makeSigner('x@carryall.example', { at: '20200101T000000', expires: '1y' })
  await expect(signDetached(DATA, { key: expired.fingerprint, env: expired.env })).rejects.toMatchObject({
    code: 'EXEC_FAILED',
    details: { hint: expect.stringContaining('expired') },
  })
})

test('an abort ends gpg', async () => {
  const { fingerprint: key, env } = signer
  const signal = AbortSignal.abort(new Error('stopped'))
  await expect(signDetached(DATA, { key, env, signal })).rejects.toThrow('stopped')
})
