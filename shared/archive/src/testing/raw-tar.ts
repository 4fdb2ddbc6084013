import { BLOCK, padding } from '../block.ts'

/** Fields as the bytes that are to stand there; what is absent is as an honest writer has it. */
export interface RawFields {
  readonly name?: string | Buffer
  readonly size?: number | string | Buffer
  readonly type?: string
  readonly link?: string
  readonly magic?: string
  readonly prefix?: string
  /** What follows the prefix. */
  readonly rest?: string
  /** What stands where the checksum belongs; the right one if absent. */
  readonly checksum?: string
}

/** A header block made by hand, with no opinion about what is right. */
export function rawHeader(fields: RawFields = {}): Buffer {
  const block = Buffer.alloc(BLOCK)
  const put = (value: string | Buffer, at: number) => Buffer.from(value).copy(block, at)
  put(fields.name ?? 'file', 0)
  put('0000600\x000001750\x000000144\x00', 100)
  const size = fields.size ?? 0
  put(typeof size === 'number' ? `${size.toString(8).padStart(11, '0')}\x00` : size, 124)
  put('14702310512\x00', 136)
  put(fields.type ?? '0', 156)
  put(fields.link ?? '', 157)
  put(fields.magic ?? 'ustar\x0000', 257)
  put('builder\x00', 265)
  put('builders\x00', 297)
  put(fields.prefix ?? '', 345)
  put(fields.rest ?? '', 500)
  block.fill(' ', 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  put(fields.checksum ?? `${sum.toString(8).padStart(6, '0')}\x00 `, 148)
  return block
}

/** A header with its data and padding. */
export function rawEntry(fields: RawFields = {}, data: string | Buffer = ''): Buffer {
  const bytes = Buffer.from(data)
  return Buffer.concat([
    rawHeader({ size: bytes.length, ...fields }),
    bytes,
    Buffer.alloc(padding(bytes.length)),
  ])
}

/** One PAX record with its right length. */
export function paxRecord(key: string, value: string | Buffer): Buffer {
  const tail = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')])
  let length = tail.length
  while (String(length).length + tail.length !== length) length = String(length).length + tail.length
  return Buffer.concat([Buffer.from(String(length)), tail])
}

/** A PAX extended header of these records. */
export function paxHeader(records: readonly (string | Buffer)[], fields: RawFields = {}): Buffer {
  const body = Buffer.concat(records.map((record) => Buffer.from(record)))
  return rawEntry({ name: 'PaxHeaders/file', type: 'x', ...fields }, body)
}

export const END = Buffer.alloc(2 * BLOCK)
