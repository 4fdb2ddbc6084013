import type { Source } from './store.ts'

/** Something attached to an image: by tag in cosign's way, or by its `subject` alone. */
export interface Attachment {
  readonly digest: string
  readonly tag?: string
  /** What it is attached to: the image, or another attachment. */
  readonly subject: string
}

const COSIGN_SUFFIXES = ['sig', 'att', 'sbom']
const MAX_DEPTH = 4

/**
 * Signatures, attestations and SBOMs of `digest`: cosign's tags `sha256-<hex>.sig|.att|.sbom` and the OCI referrers,
 * with what is attached to those in turn. Each once, in a stable order.
 */
export async function attachments(source: Source, repository: string, digest: string, signal?: AbortSignal): Promise<readonly Attachment[]> {
  const found = new Map<string, Attachment>()
  await collect(found, source, repository, digest, signal, 0)
  return [...found.values()]
}

async function collect(found: Map<string, Attachment>, source: Source, repository: string, digest: string, signal: AbortSignal | undefined, depth: number): Promise<void> {
  if (depth >= MAX_DEPTH) return
  const tags = COSIGN_SUFFIXES.map((suffix) => `${digest.replace(':', '-')}.${suffix}`)
  const [referrers, ...tagged] = await Promise.all([
    source.referrers(repository, digest, signal),
    ...tags.map((tag) => source.head(repository, tag, signal)),
  ])
  const fresh: string[] = []
  tags.forEach((tag, index) => {
    const head = tagged[index]
    if (head !== undefined && !found.has(tag)) {
      found.set(tag, { digest: head.digest, tag, subject: digest })
      fresh.push(head.digest)
    }
  })
  for (const referrer of referrers) {
    if (found.has(referrer.digest)) continue
    found.set(referrer.digest, { digest: referrer.digest, subject: digest })
    fresh.push(referrer.digest)
  }
  for (const next of fresh) await collect(found, source, repository, next, signal, depth + 1)
}
