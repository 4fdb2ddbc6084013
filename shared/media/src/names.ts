// eslint-disable-next-line no-control-regex -- control characters are what is refused
const DOS_RESERVED = /["*/:<>?\\|\u0000-\u001f\u007f]/
const DOS_DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)/i

/** Names of Linux: at most `limit` bytes. */
export function byteNameFault(name: string, limit: number): string | undefined {
  const bytes = Buffer.byteLength(name)
  return bytes > limit ? `it has ${bytes} bytes, at most ${limit} are possible` : undefined
}

/** Names of FAT and exFAT, as Windows reads them too. */
export function dosNameFault(name: string): string | undefined {
  const reserved = DOS_RESERVED.exec(name)?.[0]
  if (reserved !== undefined) return `the character ${JSON.stringify(reserved)} is reserved there`
  if (/[. ]$/.test(name)) return 'a trailing dot or blank is dropped there'
  if (DOS_DEVICE.test(name)) return 'it is the name of a device there'
  return name.length > 255 ? `it has ${name.length} UTF-16 units, at most 255 are possible` : undefined
}

/** Bytes of a name in OSTA compressed Unicode (UDF 2.60, 2.1.1): one or two for each unit, one before them. */
export function ostaBytes(name: string): number {
  // eslint-disable-next-line no-control-regex -- all of Latin-1
  return 1 + name.length * (/^[\u0000-\u00ff]*$/.test(name) ? 1 : 2)
}

/** Names that differ only in how their accents are composed are one name to some systems. */
export function composed(name: string): string {
  return name.normalize('NFC')
}

/** Names that differ in case alone are one file on FAT and exFAT. */
export function caseless(name: string): string {
  return composed(name).toUpperCase()
}
