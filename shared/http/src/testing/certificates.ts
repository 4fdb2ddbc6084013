import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Paths of PEM files: a test authority, a server certificate for 127.0.0.1 and localhost, and a client certificate. */
export interface TestCertificates {
  readonly ca: string
  readonly cert: string
  readonly key: string
  readonly clientCert: string
  readonly clientKey: string
}

/** Makes a certificate authority and two certificates of it with openssl in `directory`, valid for a day. */
export async function makeCertificates(directory: string): Promise<TestCertificates> {
  const file = (name: string) => join(directory, name)
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1']
  await run('openssl', [
    ...['req', '-x509', ...curve, '-subj', '/CN=Test CA', '-keyout', file('ca.key'), '-out', file('ca.crt')],
  ])
  await writeFile(
    file('server.ext'),
    'subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n',
  )
  await writeFile(file('client.ext'), 'extendedKeyUsage=clientAuth\n')
  for (const name of ['server', 'client']) {
    const [key, request, cert] = [file(`${name}.key`), file(`${name}.csr`), file(`${name}.crt`)]
    await run('openssl', [
      'req',
      '-new',
      ...curve.slice(0, -2),
      '-subj',
      `/CN=${name}`,
      '-keyout',
      key,
      '-out',
      request,
    ])
    await run('openssl', [
      ...['x509', '-req', '-in', request, '-CA', file('ca.crt'), '-CAkey', file('ca.key'), '-CAcreateserial'],
      ...['-days', '1', '-extfile', file(`${name}.ext`), '-out', cert],
    ])
  }
  return {
    ca: file('ca.crt'),
    cert: file('server.crt'),
    key: file('server.key'),
    clientCert: file('client.crt'),
    clientKey: file('client.key'),
  }
}
