/** True for the tag under which registries without the referrers API keep the list of what is attached to a digest. */
export function isReferrersTag(tag: string): boolean {
  return /^sha256-[0-9a-f]{64}$/.test(tag)
}
