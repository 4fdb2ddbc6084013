import { mustRun } from './run.ts'

/** The bytes of the manifest or index that skopeo reads at `docker://…` or `oci:…`. */
export function rawManifest(reference: string): Promise<Buffer> {
  return mustRun('skopeo', ['inspect', '--raw', '--tls-verify=false', reference])
}

/** Copies an image with skopeo, all platforms, digests kept. It reads and checks every blob on the way. */
export async function copyAll(from: string, to: string): Promise<void> {
  await mustRun('skopeo', [
    'copy',
    '--quiet',
    '--all',
    '--preserve-digests',
    '--src-tls-verify=false',
    '--dest-tls-verify=false',
    from,
    to,
  ])
}
