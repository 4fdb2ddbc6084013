import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '@carryall/exec'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decryptor, type DecryptOptions } from './decryptor.ts'
import { encryptTo, type Encryptor } from './encrypt-to.ts'
import { makeSigner, type TestSigner } from './testing/index.ts'

let gpg: TestSigner
let other: TestSigner
let directory: string
let recipient: string
const file = (name: string) => join(directory, name)

beforeAll(async () => {
  gpg = await makeSigner('reader@carryall.example')
  other = await makeSigner('other@carryall.example', { algorithm: 'rsa2048' })
  directory = await mkdtemp(join(tmpdir(), 'encryption-'))
  for (const name of ['age-key', 'other-key']) {
    const { stdout } = await run('age-keygen', [], { package: 'age' })
    await writeFile(file(name), stdout, { mode: 0o600 })
  }
  recipient = (await run('age-keygen', ['-y', file('age-key')])).stdout.toString().trim()
  await writeFile(file('recipients'), `# whoever\n${recipient}\n`)
  await writeFile(file('key.asc'), gpg.publicKey)
  await writeFile(file('other.gpg'), await other.gpg(['--export', other.fingerprint]))
})
afterAll(async () => {
  await gpg[Symbol.asyncDispose]()
  await other[Symbol.asyncDispose]()
  await rm(directory, { recursive: true })
})

async function* pieces(bytes: Buffer, size = 100_000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function drain(iterable: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of iterable) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Both formats, with what each needs; made late, since the keys are. */
const formats: readonly {
  readonly format: 'openpgp' | 'age'
  readonly encryptor: () => Promise<Encryptor>
  readonly reader: () => DecryptOptions
  readonly stranger: () => DecryptOptions
}[] = [
  {
    format: 'openpgp',
    encryptor: () => encryptTo([gpg.fingerprint], { env: gpg.env }),
    reader: () => ({ env: gpg.env }),
    stranger: () => ({ env: other.env }),
  },
  {
    format: 'age',
    encryptor: () => encryptTo([recipient], { env: {} }),
    reader: () => ({ env: {}, identities: [file('age-key')] }),
    stranger: () => ({ env: {}, identities: [file('other-key')] }),
  },
]

describe.each(formats)('$format', ({ format, encryptor, reader, stranger }) => {
  test('what was encrypted comes back, and is at most `overhead` longer', async () => {
    const { suffix, encrypt, overhead, ...rest } = await encryptor()
    expect([rest, suffix]).toEqual([{ format }, format === 'age' ? '.age' : '.gpg'])
    for (const size of [0, 1, 511, 512, 513, 8191, 8192, 8193, 65_535, 65_536, 65_537, 100_003, 5_000_011]) {
      const content = randomBytes(size)
      const cipher = await drain(encrypt(pieces(content)))
      expect(await drain(decryptor(reader())(format, pieces(cipher)))).toEqual(content)
      expect(cipher.length).toBeLessThanOrEqual(size + overhead(size))
      expect(overhead(size)).toBeLessThan(1024 + size / 500)
    }
  })

  test('nobody else reads it', async () => {
    const cipher = await drain((await encryptor()).encrypt(pieces(Buffer.from('secret'))))
    expect(cipher.includes('secret')).toBe(false)
    await expect(drain(decryptor(stranger())(format, pieces(cipher)))).rejects.toMatchObject({
      code: 'EXEC_FAILED',
      details: { hint: expect.stringMatching(/--gpg-home|--identity/) },
    })
  })

  test('modified or cut ciphertext is an error, also where bytes were given out before', async () => {
    const content = randomBytes(300_000)
    const cipher = await drain((await encryptor()).encrypt(pieces(content)))
    const decrypt = decryptor(reader())
    const flipped = (at: number) => {
      const copy = Buffer.from(cipher)
      copy[at]! ^= 1
      return copy
    }
    const damaged = [
      flipped(cipher.length - 1),
      flipped(cipher.length - 30_000),
      cipher.subarray(0, -1),
      cipher.subarray(0, -100_000),
      Buffer.concat([cipher, Buffer.from('more')]),
      Buffer.concat([cipher, cipher]),
      cipher.subarray(0, 20),
      randomBytes(1000),
      Buffer.alloc(0),
    ]
    for (const [index, bytes] of damaged.entries()) {
      const reading = drain(decrypt(format, pieces(bytes)))
      await expect(reading, `damage ${index}`).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' })
    }
  })

  test('constant memory, and a consumer may stop', async () => {
    const { encrypt } = await encryptor()
    const chunk = Buffer.alloc(1024 * 1024)
    const expected = createHash('sha256')
    async function* much(): AsyncGenerator<Buffer> {
      for (let round = 0; round < 100; round++) {
        chunk.fill(round)
        expected.update(chunk)
        yield chunk
      }
    }
    const actual = createHash('sha256')
    const before = process.memoryUsage().rss
    for await (const part of decryptor(reader())(format, encrypt(much()))) actual.update(part)
    expect(process.memoryUsage().rss - before).toBeLessThan(60 * 1024 * 1024)
    expect(actual.digest('hex')).toBe(expected.digest('hex'))
    for await (const part of encrypt(pieces(Buffer.alloc(10_000_000)))) {
      expect(part.length).toBeGreaterThan(0)
      break
    }
  })

  test('what the source throws is thrown, and an abort its reason', async () => {
    async function* broken(): AsyncGenerator<Buffer> {
      yield Buffer.from('some')
      throw new Error('medium was pulled')
    }
    await expect(drain((await encryptor()).encrypt(broken()))).rejects.toThrow('medium was pulled')
    await expect(drain(decryptor(reader())(format, broken()))).rejects.toThrow('medium was pulled')
    const signal = AbortSignal.abort(new Error('stopped'))
    const stopped = decryptor({ ...reader(), signal })(format, pieces(Buffer.from('x')))
    await expect(drain(stopped)).rejects.toThrow('stopped')
  })
})

test('a recipient is a key in the keyring or in a file, and each of several can read', async () => {
  const content = Buffer.from('content')
  const both = await encryptTo([gpg.fingerprint.toLowerCase(), file('other.gpg')], { env: gpg.env })
  const files = await encryptTo([file('key.asc'), file('other.gpg')], { env: { HOME: '/nonexistent' } })
  const home = await encryptTo([`0x${gpg.fingerprint}`], { env: {}, home: gpg.home })
  for (const { encrypt } of [both, files]) {
    const cipher = await drain(encrypt(pieces(content)))
    for (const { env } of [gpg, other])
      expect(await drain(decryptor({ env })('openpgp', pieces(cipher)))).toEqual(content)
  }
  const cipher = await drain(home.encrypt(pieces(content)))
  expect(await drain(decryptor({ env: {}, home: gpg.home })('openpgp', pieces(cipher)))).toEqual(content)
  const age = await encryptTo([file('recipients')], { env: {} })
  expect(age.format).toBe('age')
  const identities = [file('other-key'), file('age-key')]
  const aged = await drain(age.encrypt(pieces(content)))
  expect(await drain(decryptor({ env: {}, identities })('age', pieces(aged)))).toEqual(content)
})

test('recipients that are none are refused before anything is encrypted', async () => {
  await using expired = await makeSigner('x@carryall.example', { at: '20200101T000000', expires: '1y' })
  await writeFile(file('expired.asc'), expired.publicKey)
  await writeFile(
    file('two.gpg'),
    Buffer.concat([await gpg.gpg(['--export']), await other.gpg(['--export'])]),
  )
  await writeFile(file('empty'), '')
  for (const [recipients, code] of [
    [[], 'USAGE_CONFLICT'],
    [[recipient, gpg.fingerprint], 'USAGE_CONFLICT'],
    [['0'.repeat(40)], 'EXEC_FAILED'],
    [[file('expired.asc')], 'EXEC_FAILED'],
    [['age1nobody'], 'EXEC_FAILED'],
    [[file('empty')], 'EXEC_FAILED'],
    [[file('age-key')], 'EXEC_FAILED'],
    [[file('two.gpg')], 'USAGE_BAD_VALUE'],
    [[file('gone')], 'INPUT_NOT_FOUND'],
    [['-'], 'INPUT_NOT_FOUND'],
  ] as const) {
    await expect(encryptTo(recipients, { env: gpg.env }), recipients.join()).rejects.toMatchObject({ code })
  }
  const gone = encryptTo([gpg.fingerprint], { env: {}, home: file('gone') })
  await expect(gone).rejects.toMatchObject({ code: 'INPUT_NOT_FOUND' })
})

test('gpg: what was never encrypted, or has no integrity check, is refused', async () => {
  const decrypt = decryptor({ env: gpg.env })
  const bare = await gpg.gpg(['--store'], 'content')
  const signed = await gpg.gpg(['--sign'], 'content')
  await writeFile(join(gpg.home, 'gpg.conf'), 'ignore-mdc-error\n')
  const loose = await gpg.gpg(
    [
      '--rfc2440',
      '--disable-mdc',
      '--cipher-algo',
      'CAST5',
      '--trust-model',
      'always',
      '-r',
      gpg.fingerprint,
      '--encrypt',
    ],
    'content',
  )
  await rm(join(gpg.home, 'gpg.conf'))
  for (const cipher of [bare, signed, loose])
    await expect(drain(decrypt('openpgp', pieces(cipher)))).rejects.toMatchObject({ code: 'DIGEST_MISMATCH' })
})

test('age: an identity is needed, and closed to others', async () => {
  const none = decryptor({ env: {} })('age', pieces(Buffer.from('x')))
  await expect(drain(none)).rejects.toMatchObject({ code: 'USAGE_BAD_VALUE' })
  await writeFile(file('open-key'), 'x', { mode: 0o644 })
  const open = decryptor({ env: {}, identities: [file('open-key')] })('age', pieces(Buffer.from('x')))
  await expect(drain(open)).rejects.toMatchObject({ code: 'FILE_MODE_UNSAFE' })
})
