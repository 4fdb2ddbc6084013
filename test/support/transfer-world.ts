import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeVolumes, type SetSample } from '@carryall/media/testing'
import type { Dependency, TrustPolicy } from '@carryall/schemas'
import { SUMS_FILE, type Shipment } from '@carryall/shipment'
import { makeShipment } from '@carryall/shipment/testing'
import { makeSigner, writeTrust, type TestSigner } from '@carryall/trust/testing'

export const CHAIN = { id: '00000000-0000-4000-8000-000000000001', name: 'sample' }
export const OTHER_CHAIN = { id: '00000000-0000-4000-8000-000000000002', name: 'sample' }
export const SITE = 'plant-7'

export interface Variant {
  /** Which history of the chain; `real` if absent. */
  readonly history?: string
  /** Its predecessor, or none; the one of its history if absent. */
  readonly previous?: Pick<Shipment, 'metadataDigest'> | 'none'
  /** Who signs; `build` if absent. */
  readonly signers?: readonly string[]
  readonly dependencies?: readonly Dependency[]
  /** More metadata, or other. */
  readonly extra?: object
}

/** Volumes of a set, and what is on them. */
export interface Media {
  readonly volumes: readonly string[]
  readonly shipments: readonly Shipment[]
}

/** What the connected side has: keys, the shipments of a chain and of its forgeries, media. Each is made when it is asked for, once. */
export interface World extends AsyncDisposable {
  /** A directory of its own. */
  fresh(name: string): string
  /** A key; everything of this name is the same one. */
  key(name: string): Promise<TestSigner>
  /** A shipment like number `number`: from number 2 on it borrows from number 1 of its history. */
  like(number: number, variant?: Variant): Promise<Shipment>
  /** Those of the real history; nothing below number 1. */
  range(first: number, last: number): Promise<readonly Shipment[]>
  /** Volumes of these: two of them if nothing else is said, small files whole and others in parts. */
  set(shipments: readonly Shipment[], sample?: Partial<SetSample>): Promise<Media>
  /** A trust file that names these keys, and this site. */
  trust(keys: readonly string[], more?: Partial<TrustPolicy>): Promise<string>
}

const PART_BYTES = 300

/** Makes a world in memory. */
export async function makeWorld(): Promise<World> {
  const root = await mkdtemp('/dev/shm/carryall-transfer-')
  const made = new Map<string, Promise<unknown>>()
  let count = 0
  const fresh = (name: string): string => join(root, `${name}-${++count}`)
  function once<T>(key: readonly unknown[], make: () => Promise<T>): Promise<T> {
    const text = JSON.stringify(key)
    const known = made.get(text) as Promise<T> | undefined
    const value = known ?? make()
    made.set(text, value)
    return value
  }
  const key = (name: string): Promise<TestSigner> =>
    once(['key', name], () => makeSigner(`${name}@carryall.example`))

  function like(number: number, variant: Variant = {}): Promise<Shipment> {
    return once(['like', number, { ...variant, previous: previousOf(variant) }], async () => {
      const { history = 'real', signers = ['build'], extra = {} } = variant
      const inHistory = (one: number): Promise<Shipment> => like(one, { history })
      const before = variant.previous ?? (number > 1 ? await inHistory(number - 1) : ('none' as const))
      const shipment = await makeShipment(fresh('source'), {
        number,
        ...(before === 'none' ? {} : { previous: before as Shipment }),
        dependencies: variant.dependencies ?? (number > 1 ? [linkTo(await inHistory(1))] : []),
        files: {
          'payload.bin': `${history} ${number} `.repeat(80),
          'sub/small.txt': `${history}\n`,
          empty: '',
        },
        extra,
      })
      for (const signer of signers) await sign(shipment.directory, await key(signer))
      return shipment
    })
  }

  return {
    fresh,
    key,
    like,
    range: (first, last) =>
      Promise.all(
        Array.from({ length: Math.max(0, last - Math.max(first, 1) + 1) }, (_, index) =>
          like(Math.max(first, 1) + index),
        ),
      ),
    set: (shipments, sample = {}) =>
      once(['set', shipments.map((one) => one.directory), sample], async () => ({
        volumes: await makeVolumes(fresh('media'), {
          shipments,
          partBytes: PART_BYTES,
          volumes: 2,
          ...sample,
        }),
        shipments,
      })),
    trust: (keys, more = {}) =>
      once(['trust', keys, more], async () =>
        writeTrust(fresh('trust'), await Promise.all(keys.map(key)), { site: SITE, ...more }),
      ),
    [Symbol.asyncDispose]: async () => {
      for (const [text, value] of made)
        if (text.startsWith('["key"')) await ((await value) as TestSigner)[Symbol.asyncDispose]()
      await rm(root, { recursive: true, force: true })
    },
  }
}

/** A dependency on a shipment. */
export function linkTo({ metadata: { sequence_number, name }, metadataDigest }: Shipment): Dependency {
  return { sequence_number, name, metadata_digest: metadataDigest }
}

/** Signs the sums of a shipment where it is. */
export async function sign(directory: string, signer: TestSigner): Promise<void> {
  const signature = await signer.sign(await readFile(join(directory, SUMS_FILE)))
  await mkdir(directory, { recursive: true })
  await writeFile(join(directory, `${SUMS_FILE}.${signer.fingerprint}.asc`), signature)
}

function previousOf({ previous }: Variant): string | undefined {
  return typeof previous === 'object' ? previous.metadataDigest : previous
}
