import { CarryallError, isCarryallError } from '@carryall/errors'
import type { RetryPolicy } from '@carryall/http'
import { fetchBlob, pool, walkImage } from '@carryall/oci'
import type { PlannedSync } from '@carryall/schemas'
import { nameFor } from './apply-plan.ts'
import type { Provable } from './ports.ts'

/** How much of what the destination has is proven: that all that belongs to it is there, or every byte of it. */
export type Depth = 'deep' | 'sample'

/** What there is to prove. */
export type Proved = Pick<PlannedSync, 'destination' | 'digest'> & {
  readonly manifests?: readonly string[] | undefined
  /** Only these of an index; all if absent. */
  readonly platforms?: readonly string[] | undefined
}

export interface VerifyPorts<T> {
  readonly destination: (registry: string) => Promise<Provable>
  readonly parallel: number
  readonly retry: RetryPolicy
  readonly signal: AbortSignal
  readonly onImage?: (image: T, error?: CarryallError) => void
}

/**
 * Asks the destination for all that belongs to these images: every manifest is read and hashed, every blob is asked for, and with
 * `sample` pulled and hashed. What is wrong with an image comes back: REG_VERIFY_AFTER_PUSH where it is not whole, else why that could
 * not be found out.
 */
export async function verifyImages<T extends Proved>(
  images: readonly T[],
  depth: Depth,
  ports: VerifyPorts<T>,
): Promise<ReadonlyMap<T, CarryallError>> {
  const faults = new Map<T, CarryallError>()
  const asked = new Map<string, Promise<void>>()
  await pool(images, ports.parallel, ports.signal, async (image) => {
    const fault = await check(image, depth, asked, ports)
    if (fault !== undefined) faults.set(image, fault)
    ports.onImage?.(image, fault)
  })
  return faults
}

async function check<T extends Proved>(
  image: T,
  depth: Depth,
  asked: Map<string, Promise<void>>,
  ports: VerifyPorts<T>,
): Promise<CarryallError | undefined> {
  const { registry, repository } = image.destination
  const { signal, retry } = ports
  const destination = await ports.destination(registry)
  const once = (key: string, ask: () => Promise<void>): Promise<void> => {
    const known = asked.get(key) ?? ask()
    asked.set(key, known)
    return known
  }
  try {
    const graph = await walkImage(destination, repository, image.digest!, {
      platforms: image.platforms ?? [],
      present: belongs(image),
      signal,
    })
    for (const blob of graph.blobs.values())
      if (depth === 'sample')
        // The same bytes wherever they are mounted.
        await once(blob.digest, async () => {
          for await (const _ of fetchBlob(destination, repository, blob, { retry, signal }));
        })
      else
        await once(`${repository}@${blob.digest}`, async () => {
          if (!(await destination.hasBlob(repository, blob.digest, signal))) throw lacking(blob.digest)
        })
    return undefined
  } catch (error) {
    if (signal.aborted || !isCarryallError(error)) throw error
    const lost = isCarryallError(
      error,
      'REG_MANIFEST_UNKNOWN',
      'REG_BLOB_UNKNOWN',
      'DIGEST_MISMATCH',
      'SIZE_MISMATCH',
    )
    if (!lost) return error
    return new CarryallError(
      'REG_VERIFY_AFTER_PUSH',
      `${nameFor(image)} is not whole at the destination: ${error.message}`,
      {
        subject: { kind: 'tag', name: nameFor(image) },
        hint: 'reg-sync --verify deep copies again what is missing there',
        cause: error,
      },
    )
  }
}

/** Of an index that was copied for some platforms only, the others are not there. */
function belongs({ manifests }: Proved): (digest: string) => boolean {
  const known = manifests === undefined ? undefined : new Set(manifests)
  return (digest) => known?.has(digest) ?? true
}

function lacking(digest: string): CarryallError {
  return new CarryallError('REG_BLOB_UNKNOWN', `The blob ${digest} is not there`, {
    subject: { kind: 'blob', name: digest, digest },
  })
}
