const SUFFIXES = ['sig', 'att', 'sbom']

/** True for a tag under which cosign keeps the signatures, attestations or SBOMs of a digest. */
export function isCosignTag(tag: string): boolean {
  return /^sha256-[0-9a-f]{64}\.(?:sig|att|sbom)$/.test(tag)
}

/** The tags under which cosign keeps what is attached to a digest. */
export function cosignTagsOf(digest: string): readonly string[] {
  return SUFFIXES.map((suffix) => `${digest.replace(':', '-')}.${suffix}`)
}
