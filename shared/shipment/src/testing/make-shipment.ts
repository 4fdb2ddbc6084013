import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { toYaml, type Dependency } from '@carryall/schemas'
import { readShipment, type Shipment } from '../read-shipment.ts'
import { byByte, formatSums, SUMS_FILE } from '../sums.ts'

export interface ShipmentSample {
  readonly number: number
  readonly previous?: Shipment
  /** Any kind: what handles shipments by their common fields has to take one that it does not know. */
  readonly kind?: string
  readonly lane?: 'seq' | 'export' | 'release'
  readonly chain?: { readonly id: string; readonly name: string }
  readonly dependencies?: readonly Dependency[]
  readonly files?: Readonly<Record<string, string>>
  /** More metadata. */
  readonly extra?: object
}

const CHAIN = { id: '00000000-0000-4000-8000-000000000001', name: 'sample' }

/** Writes a shipment by hand, as another tool would, straight into a content directory. */
export async function makeShipment(content: string, sample: ShipmentSample): Promise<Shipment> {
  const {
    number,
    previous,
    kind = 'Sample',
    lane = 'seq',
    chain = CHAIN,
    dependencies = [],
    extra = {},
  } = sample
  const contents = Object.entries(sample.files ?? { 'payload.bin': `payload of ${number}\n` })
  const name = `seq${number}-sample`
  const directory = join(content, name)
  const files = contents
    .map(([path, text]) => ({ path, size_bytes: Buffer.byteLength(text), sha256: sha256(text) }))
    .sort((a, b) => byByte(a.path, b.path))
  const metadata = toYaml({
    apiVersion: 'carryall/v1',
    kind,
    chain,
    sequence_number: number,
    name,
    timestamp: '2026-01-02T03:04:05.000Z',
    ...(previous === undefined ? {} : { previous: previous.metadataDigest }),
    complete: dependencies.length === 0,
    dependencies,
    tool: { name: 'by-hand', version: '1' },
    files,
    ...extra,
  })
  for (const [path, text] of contents) {
    await mkdir(dirname(join(directory, path)), { recursive: true })
    await writeFile(join(directory, path), text)
  }
  const file = `${lane}-metadata.yaml`
  await writeFile(join(directory, file), metadata)
  await writeFile(
    join(directory, SUMS_FILE),
    formatSums([...files, { path: file, sha256: sha256(metadata) }]),
  )
  return readShipment(directory)
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
