import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { buffer } from 'node:stream/consumers'
import type { Context } from '@carryall/cli'
import { CarryallError, fromSystemError } from '@carryall/errors'
import { type Image, imageKind, parseKind, readDocuments } from '@carryall/schemas'
import type { Place } from './place.ts'

const MAX_BYTES = 256 * 1024 * 1024

/**
 * What `--images` names: lines of text, `repository[:tag|@digest]` below the namespace, empty ones and those that begin with
 * `#` left out; or Image documents, which have to be of this place; a Listing among them is passed over. Throws INPUT_*,
 * SCHEMA_*, REFERENCE_INVALID, USAGE_CONFLICT.
 */
export async function readNames(context: Context, file: string, place: Place): Promise<readonly string[]> {
  const origin = file === '-' ? '<stdin>' : file
  const bytes = file === '-' ? await buffer(context.stdin) : await readWhole(resolve(context.cwd, file), file)
  const isDocuments = /^\uFEFF?(?:\s|---)*(?:[[{]|apiVersion:|kind:)/.test(bytes.toString('utf8', 0, 4096))
  if (isDocuments) {
    return readDocuments(bytes, origin)
      .filter((value) => (value as { kind?: unknown } | null)?.kind !== 'Listing')
      .map((value) => nameOf(parseKind(imageKind, value, origin), place))
  }
  const lines = bytes
    .toString('utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
  if (lines.length > 0) return lines
  throw new CarryallError('INPUT_EMPTY', `No image is named in ${origin}`, { location: { file: origin } })
}

function nameOf({ registry, repository, tag, digest }: Image, place: Place): string {
  const { namespace } = place
  const isBelow = namespace === '' || repository.startsWith(`${namespace}/`)
  if (registry !== place.registry || !isBelow) {
    throw new CarryallError('USAGE_CONFLICT', `${registry}/${repository} is not below what is listed`, {
      subject: { kind: 'repository', name: `${registry}/${repository}` },
      expected: [place.registry, namespace].filter(Boolean).join('/'),
      hint: `List docker://${registry}, or leave the image out`,
    })
  }
  const name = namespace === '' ? repository : repository.slice(namespace.length + 1)
  if (tag !== undefined) return `${name}:${tag}`
  return digest === undefined ? name : `${name}@${digest}`
}

async function readWhole(path: string, file: string): Promise<Buffer> {
  try {
    await using handle = await open(path)
    const { size } = await handle.stat()
    if (size > MAX_BYTES)
      throw new CarryallError('INPUT_TOO_LARGE', `${file} has ${size} bytes; ${MAX_BYTES} are read at most`)
    return await handle.readFile()
  } catch (error) {
    throw fromSystemError(error, `read ${file}`, { subject: { kind: 'file', name: file } })
  }
}
