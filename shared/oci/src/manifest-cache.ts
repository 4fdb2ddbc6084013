import type { Manifest, Source } from './store.ts'

/**
 * A source that keeps the manifests it has read by digest, at most `bytes` of them, the oldest going first: what planning has
 * read need not be fetched again. Tags are asked for each time.
 */
export function cachedManifests<S extends Source>(source: S, bytes: number): S {
  const kept = new Map<string, Manifest>()
  let size = 0
  const keep = (repository: string, manifest: Manifest): void => {
    const key = `${repository}@${manifest.digest}`
    if (kept.has(key)) return
    kept.set(key, manifest)
    size += manifest.bytes.length
    for (const [oldest, { bytes: old }] of kept) {
      if (size <= bytes) break
      kept.delete(oldest)
      size -= old.length
    }
  }
  return {
    ...source,
    async manifest(repository, reference, signal) {
      const known = kept.get(`${repository}@${reference}`)
      if (known !== undefined) return known
      const manifest = await source.manifest(repository, reference, signal)
      keep(repository, manifest)
      return manifest
    },
  }
}
