import { CarryallError } from '@carryall/errors'

const VERSION = '1.0.0'

/** What `oci-layout` holds (image-spec: oci-layout file). */
export const OCI_LAYOUT = JSON.stringify({ imageLayoutVersion: VERSION })

/** Throws CONFIG_UNSUPPORTED where the text of an `oci-layout`, which is at `file`, names another version than ours. */
export function checkVersion(text: string, file: string): void {
  const version = /"imageLayoutVersion"\s*:\s*"([^"]{1,64})"/.exec(text)?.[1]
  if (version === VERSION) return
  throw new CarryallError(
    'CONFIG_UNSUPPORTED',
    `Cannot use the OCI layout of "${file}": its version is ${JSON.stringify(version ?? null)}, not "${VERSION}"`,
    { subject: { kind: 'file', name: file } },
  )
}
