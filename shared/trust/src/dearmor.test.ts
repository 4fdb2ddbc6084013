import { expect, test } from 'vitest'
import { dearmor, plainBytes } from './dearmor.ts'
import { makeSigner } from './testing/index.ts'

const armor = (...lines: readonly string[]) =>
  ['-----BEGIN PGP SIGNATURE-----', ...lines, '-----END PGP SIGNATURE-----', ''].join('\n')

test('what gpg armors is read back byte for byte', async () => {
  await using signer = await makeSigner()
  const binary = await signer.gpg(['--export', signer.fingerprint])
  expect(plainBytes(signer.publicKey, 'PUBLIC KEY BLOCK')).toEqual(binary)
  expect(plainBytes(binary, 'PUBLIC KEY BLOCK')).toBe(binary)
  const dos = Buffer.from(`\r\n${signer.publicKey.toString().replaceAll('\n', '\r\n')}`)
  expect(plainBytes(dos, 'PUBLIC KEY BLOCK')).toEqual(binary)
  const withHeaders = signer.publicKey.toString().replace('-----\n', '-----\nComment: x\nVersion: 1\n')
  expect(dearmor(withHeaders, 'PUBLIC KEY BLOCK')).toEqual(binary)
})

test('the checksum is checked where there is one', () => {
  // RFC 9580, 6.1: CRC-24 with generator 0x864CFB and start 0xB704CE; of "123456789" it is 0x21CF02.
  expect(dearmor(armor('', 'MTIzNDU2Nzg5', '=Ic8C'), 'SIGNATURE').toString()).toBe('123456789')
  expect(dearmor(armor('', 'MTIzNDU2Nzg5'), 'SIGNATURE').toString()).toBe('123456789')
  expect(() => dearmor(armor('', 'MTIzNDU2Nzg6', '=Ic8C'), 'SIGNATURE')).toThrow(
    expect.objectContaining({ code: 'INPUT_SYNTAX' }),
  )
})

test.each([
  ['another label', armor('', 'MTIz').replaceAll('SIGNATURE', 'MESSAGE')],
  ['no end', armor('', 'MTIz').replace(/-----END.*\n/, '')],
  ['no empty line', armor('MTIz')],
  ['a header that is none', armor('no header', '', 'MTIz')],
  ['nothing inside', armor('')],
  ['no base64', armor('', 'MTI!')],
  ['cut base64', armor('', 'MTIzM')],
  ['two armors', armor('', 'MTIz') + armor('', 'MTIz')],
  ['text before', `-----BEGIN PGP SIGNATURE----- x\n${armor('', 'MTIz')}`],
  ['text behind', `${armor('', 'MTIz')}x`],
  ['a short checksum', armor('', 'MTIz', '=')],
])('refused: %s', (_, text) => {
  expect(() => dearmor(text, 'SIGNATURE')).toThrow(expect.objectContaining({ code: 'INPUT_SYNTAX' }))
})
