import * as fc from 'fast-check'
import { beforeAll, afterAll, expect, test } from 'vitest'
import { readPackets } from './packets.ts'
import { readPublicKey } from './public-key.ts'
import { makeSigner, type TestSigner } from './testing/index.ts'

let one: TestSigner
let other: TestSigner

beforeAll(async () => {
  one = await makeSigner()
  other = await makeSigner('other@carryall.example', { algorithm: 'rsa2048' })
})
afterAll(async () => {
  await one[Symbol.asyncDispose]()
  await other[Symbol.asyncDispose]()
})

const refused = expect.objectContaining({ code: 'INPUT_SYNTAX' })

test('the fingerprint is the one that gpg names, armored or binary', async () => {
  for (const signer of [one, other]) {
    const binary = await signer.gpg(['--export', signer.fingerprint])
    expect(readPublicKey(binary)).toEqual({ fingerprint: signer.fingerprint, bytes: binary })
    expect(readPublicKey(signer.publicKey)).toEqual({ fingerprint: signer.fingerprint, bytes: binary })
  }
})

test('a file holds one public key and nothing else', async () => {
  const [first, second] = [readPublicKey(one.publicKey).bytes, readPublicKey(other.publicKey).bytes]
  const secret = await one.gpg(['--export-secret-keys', one.fingerprint])
  const signature = Buffer.from(await one.gpg(['--detach-sign'], 'x'))
  // A trust packet makes gpgv believe the signature before it.
  const trust = Buffer.of(0xb0, 2, 0, 3)
  for (const file of [
    Buffer.concat([first, second]),
    Buffer.concat([one.publicKey, other.publicKey]),
    secret,
    Buffer.concat([first, secret]),
    signature,
    Buffer.concat([signature, first]),
    Buffer.concat([first, trust]),
    first.subarray(0, -1),
    Buffer.concat([first, Buffer.of(0)]),
    Buffer.alloc(0),
    Buffer.from('no key'),
  ]) {
    expect(() => readPublicKey(file)).toThrow(refused)
  }
})

test('lengths are read in both formats of a header', () => {
  const body = (size: number) => Buffer.alloc(size, 7)
  const whole = (header: readonly number[], size: number) => Buffer.concat([Buffer.from(header), body(size)])
  for (const [header, tag, size] of [
    [[0x98, 5], 6, 5],
    [[0x99, 1, 0], 6, 256],
    [[0x9a, 0, 0, 1, 0], 6, 256],
    [[0xc6, 191], 6, 191],
    [[0xc6, 192, 0], 6, 192],
    [[0xc6, 223, 255], 6, 8383],
    [[0xc6, 255, 0, 0, 1, 0], 6, 256],
    [[0xd1, 0], 17, 0],
  ] as const) {
    expect(readPackets(whole(header, size))).toEqual([{ tag, body: body(size) }])
    if (size > 0) expect(() => readPackets(whole(header, size - 1))).toThrow(refused)
  }
  for (const broken of [[0x9b, 1], [0xc6, 224, 1], [0x18, 1, 7], [0xc6], [0xc6, 192], [0xc6, 255, 0, 0]])
    expect(() => readPackets(Buffer.from(broken))).toThrow(refused)
})

test('whatever the bytes are, they are packets or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        readPublicKey(Buffer.from(bytes))
      } catch (error) {
        expect(error).toEqual(refused)
      }
    }),
    { numRuns: 2000 },
  )
})
