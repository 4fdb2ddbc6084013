import { createCipheriv, hash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { LayerSpec } from './data-set.ts'

const BLOCK = 512

export interface Layer {
  readonly bytes: Buffer
  readonly digest: string
  /** Of what it unpacks to. */
  readonly diffId: string
}

/** The bytes of a layer: the AES-256-CTR key stream of sha256(seed) as the one file of a ustar archive, gzipped. */
export async function makeLayer({ seed, size, level }: LayerSpec): Promise<Layer> {
  const key = Buffer.from(hash('sha256', seed), 'hex')
  const file = createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(size))
  const padding = Buffer.alloc(((BLOCK - (size % BLOCK)) % BLOCK) + 2 * BLOCK)
  const archive = Buffer.concat([header('data', size), file, padding])
  const bytes = await promisify(gzip)(archive, { level })
  return { bytes, digest: digestOf(bytes), diffId: digestOf(archive) }
}

export function digestOf(bytes: Buffer): string {
  return `sha256:${hash('sha256', bytes)}`
}

/** POSIX.1-1988 ustar: a regular file of root, mode 0644, time 0. */
function header(name: string, size: number): Buffer {
  const block = Buffer.alloc(BLOCK)
  const octal = (value: number, at: number, width: number) =>
    block.write(value.toString(8).padStart(width - 1, '0'), at, 'latin1')
  block.write(name, 0, 'latin1')
  octal(0o644, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(size, 124, 12)
  octal(0, 136, 12)
  block.write('        0', 148, 'latin1')
  block.write('ustar\x0000', 257, 'latin1')
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  )
  block[154] = 0
  return block
}
