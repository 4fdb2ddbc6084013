import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadCertificate } from './load-certificate.ts'
import { makeCertificate } from './testing/make-certificate.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'reg-serve-'))
})
afterEach(() => rm(directory, { recursive: true }))

test('a certificate and its key, and nothing older than TLS 1.2', async () => {
  const files = await makeCertificate(directory)
  expect(await loadCertificate(files)).toMatchObject({ minVersion: 'TLSv1.2' })
})

test('what is not one is refused', async () => {
  const files = await makeCertificate(directory)
  const other = await makeCertificate(directory, 'other')
  await expect(loadCertificate({ cert: files.cert, key: other.key })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
  })
  await expect(loadCertificate({ cert: files.key, key: files.key })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
  })
  await expect(loadCertificate({ ...files, cert: join(directory, 'absent') })).rejects.toMatchObject({
    code: 'INPUT_NOT_FOUND',
  })
  await writeFile(files.cert, 'not PEM')
  await expect(loadCertificate(files)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  await chmod(files.key, 0o640)
  await expect(loadCertificate(files)).rejects.toMatchObject({ code: 'FILE_MODE_UNSAFE' })
})
