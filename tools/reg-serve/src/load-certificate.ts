import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import { checkSecretFile } from '@carryall/durable'
import { CarryallError, fromSystemError } from '@carryall/errors'

/** A certificate chain and its key, both PEM. */
export interface Certificate {
  readonly cert: Buffer
  readonly key: Buffer
  readonly minVersion: 'TLSv1.2'
}

export interface CertificateFiles {
  readonly cert: string
  readonly key: string
}

/**
 * Reads what TLS needs and tries it. Throws CONFIG_INVALID where certificate and key are no PEM or do not belong together,
 * FILE_MODE_UNSAFE for a key that others may read, INPUT_NOT_FOUND.
 */
export async function loadCertificate(files: CertificateFiles): Promise<Certificate> {
  await checkSecretFile(files.key)
  const [cert, key] = await Promise.all([read(files.cert), read(files.key)])
  const certificate = { cert, key, minVersion: 'TLSv1.2' } as const
  try {
    createSecureContext(certificate)
    return certificate
  } catch (cause) {
    throw new CarryallError(
      'CONFIG_INVALID',
      `Cannot use the certificate "${files.cert}" with the key "${files.key}"`,
      {
        hint: 'Both are PEM; the key has no password and belongs to the first certificate of the file',
        subject: { kind: 'file', name: files.cert },
        cause,
      },
    )
  }
}

async function read(path: string): Promise<Buffer> {
  return readFile(path).catch((error: unknown) => {
    throw fromSystemError(error, `read "${path}"`)
  })
}
