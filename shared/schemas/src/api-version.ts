/** True if `version` is of the same group as one of `known` (`group/v2`) and of a higher major than all of these. */
export function isNewerVersion(version: string, known: readonly string[]): boolean {
  const [group, major] = split(version)
  const majors = known.map(split).filter(([other]) => other === group)
  return majors.length > 0 && majors.every(([, other]) => major > other)
}

function split(version: string): [group: string, major: number] {
  const [, group = version, major = 'NaN'] =
    /^(.*)\/v(\d{1,9})(?:(?:alpha|beta)\d{1,9})?$/.exec(version) ?? []
  return [group, Number(major)]
}
