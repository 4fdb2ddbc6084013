import { join } from 'node:path'
import { checkVolume } from './check-volume.ts'
import { packed, type PackedVolume, type PackOptions } from './pack.ts'

/** What would be written: volumes that are there and whole would stay. Throws as `checkVolume`. */
export async function dryRun(
  out: string | undefined,
  iso: boolean,
  options: PackOptions,
): Promise<readonly PackedVolume[]> {
  const planned: PackedVolume[] = []
  for (const job of options.jobs) {
    if (out === undefined) {
      planned.push(packed(job.document, { changed: true }))
      continue
    }
    const place = join(out, iso ? `${job.name}.iso` : job.name)
    const ports = { signal: options.signal, onBytes: () => undefined }
    const finished = options.force ? undefined : await checkVolume(place, job, ports)
    planned.push(
      packed(finished?.document ?? job.document, {
        changed: finished === undefined,
        ...(iso ? { file: place } : { directory: place }),
      }),
    )
  }
  return planned
}
