import { expect, test } from 'vitest'
import { verdict } from './verdict.ts'

const PRIMARY = 'DA0F2D865EC87115BD8967CA9BD433E405DFC40F'
const SUBKEY = '391E032653B8FB590AD53D3E15267A820EA61A38'
const validsig = ({ made = '1577836800', hash = '10', type = '00', primary = ` ${PRIMARY}` } = {}) =>
  `VALIDSIG ${SUBKEY} 2020-01-01 ${made} 0 4 0 22 ${hash} ${type}${primary}`
const status = (...lines: readonly string[]) => lines.map((line) => `[GNUPG:] ${line}\n`).join('')
const GOOD = 'GOODSIG 15267A820EA61A38 a user id'

const good = { signature: 'good', signer: SUBKEY, primary: PRIMARY, made: new Date('2020-01-01T00:00:00Z') }

test('one good signature counts, at the time that it names', () => {
  expect(verdict(status('NEWSIG', GOOD, validsig()), 0)).toEqual(good)
  expect(verdict(status('NEWSIG', GOOD, validsig({ made: '20200101T000000' })), 0)).toEqual(good)
})

test('expired and revoked keys are told apart, and when the key expired', () => {
  const told = (outcome: string, ...more: readonly string[]) =>
    verdict(status('NEWSIG', ...more, `${outcome} 15267A820EA61A38 x`, validsig()), 1)
  expect(told('EXPSIG')).toEqual({ ...good, signature: 'expired' })
  expect(told('REVKEYSIG')).toEqual({ ...good, signature: 'key-revoked' })
  expect(told('EXPKEYSIG', 'KEYEXPIRED 1609372800')).toEqual({
    ...good,
    signature: 'key-expired',
    keyExpired: new Date('2020-12-31T00:00:00Z'),
  })
})

test('a key that is not in the keyring is named', () => {
  const errsig = (reason: number, ...more: readonly string[]) =>
    verdict(status('NEWSIG', ['ERRSIG 15267A820EA61A38 22 10 00 1577836800', reason, ...more].join(' ')), 2)
  expect(errsig(9, SUBKEY)).toEqual({ signature: 'unknown-key', keyId: SUBKEY })
  expect(errsig(9)).toEqual({ signature: 'unknown-key', keyId: '15267A820EA61A38' })
  expect(errsig(4, SUBKEY)).toMatchObject({ signature: 'invalid' })
})

test.each([
  ['nothing', '', 0],
  ['no data', status('NODATA 4'), 2],
  ['a bad signature', status('NEWSIG', 'BADSIG 15267A820EA61A38 x'), 1],
  ['good, and an exit that is not', status('NEWSIG', GOOD, validsig()), 1],
  ['good, and not valid', status('NEWSIG', GOOD), 0],
  ['valid, and not good', status('NEWSIG', validsig()), 0],
  ['no NEWSIG', status(GOOD, validsig()), 0],
  ['two NEWSIG', status('NEWSIG', 'NEWSIG', GOOD, validsig()), 0],
  ['good twice', status('NEWSIG', GOOD, GOOD, validsig()), 0],
  ['valid twice', status('NEWSIG', GOOD, validsig(), validsig()), 0],
  ['good and bad', status('NEWSIG', 'BADSIG 15267A820EA61A38 x', GOOD, validsig()), 0],
  ['no primary key', status('NEWSIG', GOOD, validsig({ primary: '' })), 0],
  ['a signature over text', status('NEWSIG', GOOD, validsig({ type: '01' })), 0],
  ['a certification', status('NEWSIG', GOOD, validsig({ type: '10' })), 0],
  ['MD5', status('NEWSIG', GOOD, validsig({ hash: '1' })), 0],
  ['SHA-1', status('NEWSIG', GOOD, validsig({ hash: '2' })), 0],
  ['RIPEMD-160', status('NEWSIG', GOOD, validsig({ hash: '3' })), 0],
  ['a line that is not of the status', `${status('NEWSIG', GOOD, validsig())}gpgv: Good signature\n`, 0],
  [
    'a user id that speaks like gpgv',
    status('NEWSIG', 'BADSIG 15267A820EA61A38 [GNUPG:] GOODSIG', validsig()),
    0,
  ],
])('invalid: %s', (_, text, exitCode) => {
  expect(verdict(text, exitCode)).toMatchObject({ signature: 'invalid' })
})
