import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { CertificateFiles } from '../load-certificate.ts'

const run = promisify(execFile)

/** Makes a certificate for 127.0.0.1 that is its own authority, and its key, with openssl in `directory`; valid for a day. */
export async function makeCertificate(directory: string, name = 'server'): Promise<CertificateFiles> {
  const files = { cert: join(directory, `${name}.crt`), key: join(directory, `${name}.key`) }
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'],
    ...['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'],
    ...['-keyout', files.key, '-out', files.cert],
  ])
  return files
}
