const PRERELEASE = '(?:0|[1-9]\\d*|\\d*[A-Za-z-][0-9A-Za-z-]*)'
const VERSION = new RegExp(
  `^v?(\\d{1,15})(?:\\.(\\d{1,15}))?(?:\\.(\\d{1,15}))?(-${PRERELEASE}(?:\\.${PRERELEASE})*)?(\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`,
)

/** Major, minor and patch of a version, missing ones 0; undefined for what is not a semantic version, `v` and missing parts allowed. */
export function parseVersion(text: string): readonly [number, number, number] | undefined {
  const found = VERSION.exec(text)
  return found === null ? undefined : [Number(found[1]), Number(found[2] ?? 0), Number(found[3] ?? 0)]
}

/** True if `a` is below `b` by major, minor and patch; false where that does not decide. */
export function isBelow(a: string, b: string): boolean {
  const [left, right] = [parseVersion(a), parseVersion(b)]
  if (left === undefined || right === undefined) return false
  const at = left.findIndex((part, index) => part !== right[index])
  return at >= 0 && left[at]! < right[at]!
}
