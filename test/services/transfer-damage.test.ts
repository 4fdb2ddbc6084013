import { cp, mkdir, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeVolumes, writeVolume } from '@carryall/media/testing'
import { readShipment, type Shipment } from '@carryall/shipment'
import { makeShipment } from '@carryall/shipment/testing'
import { random } from '../support/random.ts'
import { treeOf } from '../support/storage.ts'
import { farAt, published, unpack, type Unpacked } from '../support/transfer-far.ts'
import { makeWorld, sign, type World } from '../support/transfer-world.ts'
import { readFiles, type VolumeFiles } from '../support/transfer-forge.ts'

// One byte, one length, one name of a small volume is wrong. All of them with CARRYALL_FULL=1, else every so many.
const STEP = process.env['CARRYALL_FULL'] === '1' ? 1 : 12
const choose = random(11)

let world: World
let shipment: Shipment
let volume: string
let files: VolumeFiles
let trust: readonly string[]
let names: readonly string[]

beforeAll(async () => {
  world = await makeWorld()
  trust = ['--trust', await world.trust(['build'])]
  shipment = await makeShipment(world.fresh('source'), {
    number: 1,
    files: { 'payload.bin': 'payload '.repeat(16), 'sub/small.txt': 'small\n', empty: '' },
  })
  await sign(shipment.directory, await world.key('build'))
  const made = await makeVolumes(world.fresh('media'), { shipments: [shipment], partBytes: 64 })
  volume = made[0]!
  files = await readFiles(volume)
  names = [...files.keys(), 'SHA256SUMS'].sort()
})
afterAll(() => world[Symbol.asyncDispose]())

/** A copy of the volume whose files are laid bare and put back, one after the other. */
async function trial(): Promise<{
  readonly path: string
  bytesOf(name: string): Promise<Buffer>
  /** Unpacks it as it is now at a site that holds nothing; nothing but the shipment itself may be there afterwards. */
  run(): Promise<Unpacked>
}> {
  const path = join(world.fresh('trial'), volume.slice(volume.lastIndexOf('/') + 1))
  await cp(volume, path, { recursive: true })
  const far = farAt(world.fresh('far'))
  return {
    path,
    bytesOf: (name) => readFile(join(volume, name)),
    async run() {
      const ran = await unpack(far, [path], { flags: trust })
      for (const name of await published(far)) await expectTrue(join(far.content, name))
      await rm(dirname(far.content), { recursive: true, force: true })
      return ran
    },
  }
}

/** It is the shipment, byte for byte but for signatures, which say nothing of themselves. */
async function expectTrue(directory: string): Promise<void> {
  const without = (tree: Readonly<Record<string, string>>): object =>
    Object.fromEntries(Object.entries(tree).filter(([name]) => !name.endsWith('.asc')))
  expect((await readShipment(directory)).metadataDigest).toBe(shipment.metadataDigest)
  expect(without(await treeOf(directory))).toEqual(without(await treeOf(shipment.directory)))
}

/** Every `STEP`th of so many positions, beginning anywhere, and the last one. */
function positions(count: number): readonly number[] {
  const first = Math.floor(choose() * Math.min(STEP, count))
  const every = Array.from({ length: Math.ceil((count - first) / STEP) }, (_, index) => first + index * STEP)
  return [...new Set([...every, ...(count > 0 ? [count - 1] : [])])]
}

test('the volume is small, and whole', async () => {
  const sizes = await Promise.all(names.map(async (name) => (await readFile(join(volume, name))).length))
  expect(names).toHaveLength(9)
  expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(8000)
  expect(await (await trial()).run()).toMatchObject({ exit: 0, documents: [{ result: { changed: true } }] })
})

describe('damage is found, and nothing but the shipment is ever published', () => {
  test('bytes that are flipped', { timeout: 600_000 }, async () => {
    const { path, bytesOf, run } = await trial()
    for (const name of names) {
      const bytes = await bytesOf(name)
      for (const at of positions(bytes.length)) {
        const flipped = Buffer.from(bytes)
        flipped[at] = flipped[at]! ^ (1 << (at % 8))
        await writeFile(join(path, name), flipped)
        const { exit, errors } = await run()
        expect([exit, errors[0]?.exit], `byte ${at} of ${name}: ${errors[0]?.message}`).toEqual([82, 82])
      }
      await writeFile(join(path, name), bytes)
    }
    expect(await run()).toMatchObject({ exit: 0 })
  })

  test('files that are cut short', { timeout: 600_000 }, async () => {
    const { path, bytesOf, run } = await trial()
    for (const name of names) {
      const bytes = await bytesOf(name)
      for (const length of positions(bytes.length)) {
        await truncate(join(path, name), length)
        const { exit, errors } = await run()
        expect([exit, errors[0]?.exit], `${length} bytes of ${name}: ${errors[0]?.message}`).toEqual([82, 82])
        await writeFile(join(path, name), bytes)
      }
    }
    expect(await run()).toMatchObject({ exit: 0 })
  })

  test('files that are longer, gone, or have another name', async () => {
    const { path, bytesOf, run } = await trial()
    for (const name of names) {
      const [file, bytes] = [join(path, name), await bytesOf(name)]
      await writeFile(file, Buffer.concat([bytes, Buffer.from('\n')]))
      expect((await run()).exit, `longer: ${name}`).toBe(82)
      await rm(file)
      expect((await run()).exit, `gone: ${name}`).toBe(82)
      await writeFile(`${file}.bak`, bytes)
      expect((await run()).exit, `renamed: ${name}`).toBe(82)
      await rename(`${file}.bak`, file)
    }
    expect(await run()).toMatchObject({ exit: 0 })
  })

  test('files that have the bytes of another one', async () => {
    const { path, bytesOf, run } = await trial()
    for (const [index, one] of names.entries())
      for (const two of names.slice(index + 1)) {
        const [first, second] = [await bytesOf(one), await bytesOf(two)]
        if (first.equals(second)) continue
        await writeFile(join(path, one), second)
        await writeFile(join(path, two), first)
        expect((await run()).exit, `${one} and ${two}`).toBe(82)
        await writeFile(join(path, one), first)
        await writeFile(join(path, two), second)
      }
    expect(await run()).toMatchObject({ exit: 0 })
  })

  test(
    'a signature, where SHA256SUMS was made to fit: it does not count, or still says the same',
    { timeout: 600_000 },
    async () => {
      const name = names.find((one) => one.endsWith('.asc'))!
      const bytes = await (await trial()).bytesOf(name)
      const { path, run } = await trial()
      const exits = new Set<number | string>()
      for (const at of positions(bytes.length)) {
        const flipped = Buffer.from(bytes)
        flipped[at] = flipped[at]! ^ (1 << (at % 8))
        await writeVolume(path, new Map([...files, [name, flipped]]))
        const { exit, errors } = await run()
        if (exit !== 0) expect([exit, errors[0]?.code], `byte ${at}`).toEqual([80, 'SIG_INVALID'])
        exits.add(exit)
      }
      expect(exits).toContain(80)
    },
  )
})

describe('what is wrong is named', () => {
  const five = async (): Promise<readonly string[]> => {
    const root = world.fresh('five')
    await mkdir(root)
    const { volumes } = await world.set(await world.range(1, 3), { volumes: 5 })
    const copies = volumes.map((one) => join(root, one.slice(one.lastIndexOf('/') + 1)))
    for (const [index, copy] of copies.entries()) await cp(volumes[index]!, copy, { recursive: true })
    return copies
  }
  const run = (volumes: readonly string[]): Promise<Unpacked> =>
    unpack(farAt(world.fresh('far')), volumes, { flags: trust })
  const partOn = async (one: string): Promise<string> => {
    const [hash] = await readdir(join(one, 'parts'))
    const [part] = await readdir(join(one, 'parts', hash!))
    return `parts/${hash}/${part}`
  }

  test('volumes that are missing', async () => {
    const volumes = await five()
    const { exit, errors } = await run([volumes[4]!, volumes[1]!, volumes[1]!])
    expect({ exit, errors }).toMatchObject({
      exit: 83,
      errors: [
        {
          code: 'VOLUME_MISSING',
          retryable: true,
          expected: '1, 2, 3, 4, 5',
          actual: '2, 5',
          subject: { kind: 'shipment', name: 'seq3-sample' },
        },
      ],
    })
  })

  test('a volume that exchanged its name with another one, and one that was given a name', async () => {
    const [one, two, ...others] = await five()
    await rename(one!, `${one!}.x`)
    await rename(two!, one!)
    await rename(`${one!}.x`, two!)
    const odd = join(dirname(one!), 'odd name')
    await rename(others[0]!, odd)
    const ran = await run([one!, two!, odd, ...others.slice(1)])
    expect(ran).toMatchObject({ exit: 0, errors: [] })
    expect(ran.documents.map((document) => document['sequence_number'])).toEqual([1, 2, 3])
  })

  test('a volume of another set among them', async () => {
    const volumes = await five()
    const other = await world.set([await world.like(1, { history: 'two' })], { volumes: 2 })
    const { exit, errors } = await run([...volumes, other.volumes[0]!])
    expect({ exit, errors }).toMatchObject({ exit: 81, errors: [{ code: 'SEQ_FORK' }] })
  })

  test.each<[string, string, (one: string, file: string) => Promise<unknown>]>([
    ['a file that is missing', 'FILE_MISSING', (one, file) => rm(join(one, file))],
    ['a file with other bytes', 'DIGEST_MISMATCH', (one, file) => invert(join(one, file))],
    ['a file that is shorter', 'SIZE_MISMATCH', (one, file) => truncate(join(one, file), 10)],
  ])('%s: %s', async (_, code, damage) => {
    const volumes = await five()
    const file = await partOn(volumes[2]!)
    await damage(volumes[2]!, file)
    const { exit, errors } = await run(volumes)
    expect({ exit, errors }).toMatchObject({
      exit: 82,
      errors: [
        { code, subject: { kind: 'file', name: file }, hint: expect.any(String) },
        { code: 'VOLUME_MISSING', expected: '1, 2, 3, 4, 5', actual: '1, 2, 4, 5' },
      ],
    })
    expect(errors[0]!.message).toContain(volumes[2]!)
  })

  test('a file too many', async () => {
    const volumes = await five()
    await writeFile(join(volumes[3]!, 'stray'), 'x')
    expect(await run(volumes)).toMatchObject({
      exit: 82,
      errors: [{ code: 'FILE_UNEXPECTED', subject: { kind: 'file', name: 'stray' } }],
    })
  })

  test('files with new names', async () => {
    const volumes = await five()
    const file = await partOn(volumes[2]!)
    await rename(join(volumes[2]!, file), join(volumes[2]!, `${file}.bak`))
    const { errors } = await run(volumes)
    expect(errors.map(({ code, subject }) => [code, (subject as { name: string }).name])).toEqual([
      ['FILE_UNEXPECTED', `${file}.bak`],
      ['FILE_MISSING', file],
      ['VOLUME_MISSING', 'seq3-sample'],
    ])
  })
})

async function invert(file: string): Promise<void> {
  await writeFile(
    file,
    (await readFile(file)).map((byte) => byte ^ 255),
  )
}
