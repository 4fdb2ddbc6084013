import { join } from 'node:path'
import { imageLineSchema, parseValue, toJson, type ImageLine } from '@carryall/schemas'
import { byByte, parseLines, readSmall, type Shipment } from '@carryall/shipment'

export const IMAGE_INDEX = 'images.ndjson'
const MAX_INDEX = 512 * 1024 * 1024

/** The pinned image list as it is written: sorted by repository, tag and digest. */
export function formatImageIndex(images: readonly ImageLine[]): string {
  return [...images]
    .sort((a, b) => byByte(key(a), key(b)))
    .map((image) => `${toJson(image)}\n`)
    .join('')
}

/** Reads a pinned image list. Throws SCHEMA_INVALID with the line. */
export function parseImageIndex(bytes: Buffer, where: string): readonly ImageLine[] {
  return parseLines(bytes, where).map((value, index) =>
    parseValue(imageLineSchema, value, `${where} line ${index + 1}`),
  )
}

/** The pinned image list of a sequence. */
export async function readImageIndex(shipment: Pick<Shipment, 'directory'>): Promise<readonly ImageLine[]> {
  const file = join(shipment.directory, IMAGE_INDEX)
  return parseImageIndex(await readSmall(file, MAX_INDEX), file)
}

function key(image: ImageLine): string {
  return `${image.repository}\0${image.tag ?? ''}\0${image.digest}`
}
