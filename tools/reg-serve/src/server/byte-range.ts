/** Bytes of a blob, both ends included. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/**
 * Reads a Range header for a body of `size` bytes (RFC 9110 §14.2): `a-b`, `a-` and `-n`. Undefined where the whole body is
 * to be sent: no header, another unit, several ranges, bad syntax. `'unsatisfiable'` where it starts behind the end, its own or
 * the body's.
 */
export function byteRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | undefined {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '') ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined
  if (first === '') {
    const length = Math.min(Number(last), size)
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size - 1 }
  }
  if (Number(first) >= size || (last !== '' && Number(last) < Number(first))) return 'unsatisfiable'
  return { start: Number(first), end: last === '' ? size - 1 : Math.min(Number(last), size - 1) }
}

/** Reads the Content-Range of an upload's chunk (distribution-spec: pushing a blob in chunks): `start-end`, no unit. */
export function chunkRange(header: string): ByteRange | undefined {
  const [, start, end] = /^(?:bytes )?(\d{1,15})-(\d{1,15})$/.exec(header.trim()) ?? []
  if (start === undefined || end === undefined || Number(end) < Number(start)) return undefined
  return { start: Number(start), end: Number(end) }
}
