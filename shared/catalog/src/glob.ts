import picomatch from 'picomatch'

/** A glob as a test of whole names: `*` and `?` stay within a component, `**` as a component crosses "/". */
export function glob(pattern: string): (text: string) => boolean {
  return picomatch(pattern, { dot: true, nonegate: true })
}
