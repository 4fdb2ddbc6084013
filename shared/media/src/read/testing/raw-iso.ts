const SECTOR = 2048

/** One file or directory of an image made by hand. */
export interface RawNode {
  /** Its ISO 9660 identifier, as it is to stand there. */
  readonly id: string | Buffer
  /** Bytes of a file. */
  readonly data?: Buffer | string
  /** What is in a directory. */
  readonly children?: readonly RawNode[]
  /** Its system use area; that of an honest writer (PX and NM of the lower-case identifier) if absent. */
  readonly use?: Buffer
  /** Name that Rock Ridge gives it, where `use` is absent. */
  readonly name?: string | Buffer
  /** Changes its directory record. */
  readonly patch?: (record: Buffer, image: Layout) => void
}

export interface Layout {
  /** Sector of the root directory. */
  readonly root: number
  /** Sectors of the image. */
  readonly sectors: number
  /** Sector of the continuation areas. */
  readonly areas: number
}

export interface RawImage {
  readonly rockRidge?: boolean
  /** What is at `AREAS`, for CE to lead to. */
  readonly areas?: Buffer
  /** Replaces the system use area of the first record of the root. */
  readonly mark?: Buffer
  readonly patchDescriptor?: (descriptor: Buffer, image: Layout) => void
  /** Changes the whole image. */
  readonly patch?: (bytes: Buffer, image: Layout) => Buffer | void
}

/** First sector of the continuation areas, of which there are four sectors. */
export const AREAS = 18
const AREA_SECTORS = 4

/** Writes a number little-endian, then big-endian. */
export function both32(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt32LE(value, 0)
  bytes.writeUInt32BE(value, 4)
  return bytes
}

/** One system use entry. */
export function use(signature: string, ...payload: readonly Buffer[]): Buffer {
  const body = Buffer.concat(payload)
  return Buffer.concat([Buffer.from(signature, 'latin1'), Buffer.from([body.length + 4, 1]), body])
}

export const nm = (name: string | Buffer, flags = 0) => use('NM', Buffer.from([flags]), Buffer.from(name))
export const px = (mode: number) => use('PX', both32(mode), both32(1), both32(0), both32(0))
export const ce = (sector: number, offset: number, length: number) =>
  use('CE', both32(sector), both32(offset), both32(length))
export const SP = use('SP', Buffer.from([0xbe, 0xef, 0]))
export const FILE = px(0o100_644)
export const DIRECTORY = px(0o040_755)

interface Placed {
  readonly node: RawNode
  readonly parent: Placed | undefined
  readonly children: readonly Placed[]
  sector: number
  size: number
}

/** An ISO 9660 image of these files, right but for what the nodes and options say. */
export function rawIso(nodes: readonly RawNode[], options: RawImage = {}): Buffer {
  const rockRidge = options.rockRidge ?? true
  const root = place({ id: '\0', children: nodes }, undefined)
  const all = [root, ...descendants(root)]
  let next = AREAS + AREA_SECTORS
  for (const placed of all.filter(({ node }) => node.children !== undefined)) {
    placed.sector = next
    placed.size = directoryBytes(placed, rockRidge, options).length
    next += placed.size / SECTOR
  }
  for (const placed of all.filter(({ node }) => node.children === undefined)) {
    const { length } = Buffer.from(placed.node.data ?? '')
    placed.sector = next
    placed.size = length
    next += Math.ceil(length / SECTOR)
  }
  const layout: Layout = { root: root.sector, sectors: next, areas: AREAS }
  const image = Buffer.alloc(next * SECTOR)
  descriptor(root, next, options, layout).copy(image, 16 * SECTOR)
  Buffer.from('\xffCD001\x01', 'latin1').copy(image, 17 * SECTOR)
  options.areas?.copy(image, AREAS * SECTOR)
  for (const placed of all) {
    const bytes =
      placed.node.children === undefined
        ? Buffer.from(placed.node.data ?? '')
        : directoryBytes(placed, rockRidge, options, layout)
    bytes.copy(image, placed.sector * SECTOR)
  }
  return options.patch?.(image, layout) ?? image
}

function place(node: RawNode, parent: Placed | undefined): Placed {
  const children: Placed[] = []
  const placed: Placed = { node, parent, children, sector: 0, size: 0 }
  for (const child of node.children ?? []) children.push(place(child, placed))
  return placed
}

function descendants(placed: Placed): Placed[] {
  return placed.children.flatMap((child) => [child, ...descendants(child)])
}

/** Without a layout nothing is patched: it is the length that matters. */
function directoryBytes(placed: Placed, rockRidge: boolean, options: RawImage, layout?: Layout): Buffer {
  const mark = placed.parent === undefined ? (options.mark ?? (rockRidge ? SP : undefined)) : undefined
  const records = [
    record(Buffer.from([0]), placed, true, mark ?? Buffer.alloc(0)),
    record(Buffer.from([1]), placed.parent ?? placed, true, Buffer.alloc(0)),
    ...placed.children.map((child) => childRecord(child, rockRidge, layout)),
  ]
  const sectors: Buffer[] = []
  let bytes = Buffer.alloc(0)
  for (const one of records) {
    if (bytes.length + one.length > SECTOR) {
      sectors.push(bytes)
      bytes = Buffer.alloc(0)
    }
    bytes = Buffer.concat([bytes, one])
  }
  return Buffer.concat(
    [...sectors, bytes].map((part) => Buffer.concat([part, Buffer.alloc(SECTOR - part.length)])),
  )
}

function childRecord(child: Placed, rockRidge: boolean, layout: Layout | undefined): Buffer {
  const { node } = child
  const isDirectory = node.children !== undefined
  const id = Buffer.from(node.id)
  const name =
    node.name ??
    id
      .toString('latin1')
      .replace(/\.?;1$/, '')
      .toLowerCase()
  const honest = rockRidge ? Buffer.concat([isDirectory ? DIRECTORY : FILE, nm(name)]) : Buffer.alloc(0)
  const bytes = record(id, child, isDirectory, node.use ?? honest)
  if (layout !== undefined) node.patch?.(bytes, layout)
  return bytes
}

function record(id: Buffer, target: Placed, isDirectory: boolean, systemUse: Buffer): Buffer {
  const fixed = 33 + id.length + ((33 + id.length) % 2)
  const bytes = Buffer.alloc(fixed + systemUse.length + (systemUse.length % 2))
  bytes[0] = bytes.length
  both32(target.sector).copy(bytes, 2)
  both32(target.size).copy(bytes, 10)
  bytes[25] = isDirectory ? 2 : 0
  Buffer.from([1, 0, 0, 1]).copy(bytes, 28)
  bytes[32] = id.length
  id.copy(bytes, 33)
  systemUse.copy(bytes, fixed)
  return bytes
}

function descriptor(root: Placed, sectors: number, options: RawImage, layout: Layout): Buffer {
  const bytes = Buffer.alloc(SECTOR)
  bytes.write('\x01CD001\x01', 0, 'latin1')
  both32(sectors).copy(bytes, 80)
  for (const at of [120, 124]) Buffer.from([1, 0, 0, 1]).copy(bytes, at)
  Buffer.from([0x00, 0x08, 0x08, 0x00]).copy(bytes, 128)
  record(Buffer.from([0]), root, true, Buffer.alloc(0)).copy(bytes, 156)
  bytes[881] = 1
  options.patchDescriptor?.(bytes, layout)
  return bytes
}
