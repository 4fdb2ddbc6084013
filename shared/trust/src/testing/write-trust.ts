import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { API_VERSION, toYaml, type TrustPolicy } from '@carryall/schemas'

/**
 * Writes `trust.yaml` and the key files that it names into `directory` (made if missing), and returns its path. `more` is the
 * rest of the document; keys that it gives stand in place of the plain ones.
 */
export async function writeTrust(
  directory: string,
  signers: readonly { readonly fingerprint: string; readonly publicKey: Buffer }[],
  more: Partial<Omit<TrustPolicy, 'apiVersion' | 'kind'>> = {},
): Promise<string> {
  await mkdir(directory, { recursive: true, mode: 0o755 })
  for (const { fingerprint, publicKey } of signers)
    await writeFile(join(directory, `${fingerprint}.asc`), publicKey, { mode: 0o644 })
  const keys = signers.map(({ fingerprint }) => ({ fingerprint, file: `${fingerprint}.asc` }))
  const policy: TrustPolicy = { apiVersion: API_VERSION, kind: 'TrustPolicy', keys, ...more }
  const file = join(directory, 'trust.yaml')
  await writeFile(file, toYaml(policy), { mode: 0o644 })
  return file
}
