import { openSigner, type SigningOptions } from './open-signer.ts'

export interface DetachedSignature {
  /** Of the primary key. */
  readonly fingerprint: string
  /** The content of an `.asc` file. */
  readonly armored: Buffer
}

/** Signs `data` with gpg. Throws as `openSigner` and its `sign`. */
export async function signDetached(data: Buffer, options: SigningOptions): Promise<DetachedSignature> {
  const signer = await openSigner(options)
  return { fingerprint: signer.fingerprint, armored: await signer.sign(data) }
}
