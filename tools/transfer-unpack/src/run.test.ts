import {
  appendFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runInProcess } from '@carryall/cli/testing'
import { makeVolumes, type SetSample } from '@carryall/media/testing'
import type { Shipment } from '@carryall/shipment'
import { makeShipment } from '@carryall/shipment/testing'
import { makeSigner, writeTrust } from '@carryall/trust/testing'
import { command } from './command.ts'

let dir: string
let chain: Shipment[]
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'unpack-'))
  chain = []
  for (const number of [1, 2, 3]) chain.push(await shipment(number))
})
afterEach(() => rm(dir, { recursive: true }))

const big = (number: number): string => `${number}`.repeat(10_000)

/** Of a lane that nobody here knows. */
async function shipment(number: number): Promise<Shipment> {
  const previous = chain.at(-1)
  return makeShipment(join(dir, 'source'), {
    number,
    kind: 'SystemRelease',
    lane: 'release',
    ...(previous === undefined ? {} : { previous }),
    files: { 'payload.bin': big(number), 'sub/small.txt': `small ${number}\n`, empty: '' },
    extra: { later_release: { any: ['key', 1] } },
  })
}

const content = () => join(dir, 'content')
const unpack = (...argv: string[]) =>
  runInProcess(
    command,
    [...argv, '--content', content(), '--state-dir', join(dir, 'state'), '--progress', 'none'],
    {
      cwd: dir,
    },
  )
const volumes = (name: string, sample: Partial<SetSample> = {}) =>
  makeVolumes(join(dir, name), { shipments: chain, ...sample })

/** Every file below a directory with its bytes, but the lock's. */
async function tree(root: string): Promise<Record<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => [])
  const files: Record<string, string> = {}
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile() && !path.endsWith('/.carryall/lock'))
      files[path.slice(root.length)] = await readFile(path, 'latin1')
  }
  return files
}

async function expectLanded(numbers: readonly number[]): Promise<void> {
  const landed = (await readdir(join(content(), 'sample'))).filter((name) => !name.startsWith('.')).sort()
  expect(landed).toEqual(numbers.map((number) => chain[number - 1]!.metadata.name))
  for (const number of numbers) {
    const { directory, metadata } = chain[number - 1]!
    expect(await tree(join(content(), 'sample', metadata.name))).toEqual(await tree(directory))
  }
}

describe('volumes of a set', () => {
  test('in any order, some of them twice, over several runs', async () => {
    const [one, two, three] = await volumes('media', { volumes: 3, partBytes: 3000 })
    const first = await unpack(three!)
    expect(first).toMatchObject({
      exit: 83,
      documents: [{ kind: 'Failure', errors: [{ code: 'VOLUME_MISSING' }] }],
    })
    expect(await unpack(one!, three!)).toMatchObject({ exit: 83 })
    const last = await unpack(two!, one!)
    expect(last.exit).toBe(0)
    expect(last.documents.map((document) => document['result'])).toMatchObject(
      chain.map(({ metadata, metadataDigest }) => ({
        ok: true,
        changed: true,
        signed: false,
        directory: join(content(), 'sample', metadata.name),
        metadata_digest: metadataDigest,
      })),
    )
    await expectLanded([1, 2, 3])
    expect(await readdir(join(content(), 'sample/.carryall/staging'))).toEqual([])
  })

  test('a medium with all of them; a second run changes nothing and says the same', async () => {
    await volumes('media', { volumes: 2 })
    const first = await unpack(join(dir, 'media'))
    expect(first.exit).toBe(0)
    const before = await tree(content())
    const second = await unpack(join(dir, 'media'))
    expect(second.exit).toBe(0)
    expect(second.documents).toEqual(
      first.documents.map((document) => ({
        ...document,
        result: { ...(document['result'] as object), changed: false },
      })),
    )
    expect(await tree(content())).toEqual(before)
  })

  test('what is whole is published although others still wait', async () => {
    const made = await volumes('media', { volumes: 9 })
    const ran = await unpack(...made.slice(0, 4))
    expect(ran.exit).toBe(83)
    expect(ran.documents.map((document) => document['name'])).toEqual([chain[0]!.metadata.name])
    await expectLanded([1])
  })

  test('shows on a dry run what would be published, and writes nothing', async () => {
    await volumes('media')
    const ran = await unpack('-n', join(dir, 'media'))
    expect(ran).toMatchObject({ exit: 0 })
    expect(ran.documents.map((document) => document['result'])).toMatchObject(
      chain.map(() => ({ changed: true })),
    )
    expect((await readdir(dir)).sort()).toEqual(['media', 'source'])
  })
})

describe('damage', () => {
  test('one part is damaged: everything else is taken, and the volume made again completes it', async () => {
    const [one, two] = await volumes('media', { volumes: 2, partBytes: 4000 })
    await cp(two!, join(dir, 'good'), { recursive: true })
    const { sum, stored } = await aPart(two!)
    await writeFile(join(two!, stored), 'X'.repeat((await stat(join(two!, stored))).size))
    const ran = await unpack(one!, two!)
    expect(ran.exit).toBe(82)
    expect(ran.stderr).toContain(stored)
    expect(sum).toMatch(/^[0-9a-f]{64}$/)
    expect(await unpack(join(dir, 'good'))).toMatchObject({ exit: 0 })
    await expectLanded([1, 2, 3])
  })

  test.each([
    ['a file is missing', 'FILE_MISSING', (volume: string, stored: string) => rm(join(volume, stored))],
    ['a file too many', 'FILE_UNEXPECTED', (volume: string) => writeFile(join(volume, 'stray'), 'x')],
    [
      'a file is longer',
      'SIZE_MISMATCH',
      (volume: string, stored: string) => appendFile(join(volume, stored), 'x'),
    ],
    ['the sums are missing', 'FILE_MISSING', (volume: string) => rm(join(volume, 'SHA256SUMS'))],
    ['volume.json is missing', 'VOLUME_INVALID', (volume: string) => rm(join(volume, 'volume.json'))],
    [
      'the metadata of a shipment is missing',
      'FILE_MISSING',
      (volume: string) => rm(join(volume, 'sample', chain[1]!.metadata.name, 'release-metadata.yaml')),
    ],
    [
      'one byte of volume.json',
      'DIGEST_MISMATCH',
      (volume: string) => flip(join(volume, 'volume.json'), 300),
    ],
  ])('%s: %s', async (_, code, damage) => {
    const [volume] = await volumes('media', { partBytes: 4000 })
    await damage(volume!, (await aPart(volume!)).stored)
    const ran = await unpack(volume!)
    expect(ran.exit).toBe(82)
    expect(ran.stderr).toContain(`error ${code}`)
  })

  test('volumes that exchanged their names are told', async () => {
    const [one, two] = await volumes('media', { volumes: 2 })
    await rename(one!, `${one}.x`)
    await rename(two!, one!)
    await rename(`${one}.x`, two!)
    const ran = await unpack(one!, two!)
    expect(ran.exit).toBe(0)
    expect(ran.stderr.match(/holds volume [12]/g)?.sort()).toEqual(['holds volume 1', 'holds volume 2'])
  })
})

async function aPart(volume: string): Promise<{ sum: string; stored: string }> {
  const line = (await readFile(join(volume, 'SHA256SUMS'), 'utf8'))
    .split('\n')
    .find((one) => one.includes('  parts/'))!
  return { sum: line.slice(0, 64), stored: line.slice(66) }
}

async function flip(file: string, at: number): Promise<void> {
  const bytes = await readFile(file)
  bytes[at] = bytes[at]! ^ 1
  await writeFile(file, bytes)
}

test('a signature of the volume itself that is not of its sums tells that it was changed', async () => {
  await using signer = await makeSigner()
  const trust = await writeTrust(join(dir, 'trust'), [signer])
  const { directory } = chain[2]!
  const name = `SHA256SUMS.${signer.fingerprint}.asc`
  await writeFile(join(directory, name), await signer.sign(await readFile(join(directory, 'SHA256SUMS'))))
  const [volume] = await volumes('media')
  await writeFile(join(volume!, name), await signer.sign(Buffer.from('other sums')))
  const ran = await unpack(volume!, '--trust', trust)
  expect(ran.exit).toBe(80)
  expect(ran.stderr).toContain('SIG_INVALID')
  await writeFile(join(volume!, name), await signer.sign(await readFile(join(volume!, 'SHA256SUMS'))))
  expect(await unpack(volume!, '--trust', trust)).toMatchObject({ exit: 0 })
})

describe('refusals leave everything as it was', () => {
  test('an old medium', async () => {
    const all = chain
    chain = all.slice(0, 1)
    await volumes('old')
    chain = all
    await volumes('new')
    expect(await unpack(join(dir, 'new'))).toMatchObject({ exit: 0 })
    const before = await tree(content())
    const ran = await unpack(join(dir, 'old'))
    expect(ran).toMatchObject({
      exit: 81,
      documents: [{ kind: 'Failure', errors: [{ code: 'SEQ_ROLLBACK' }] }],
    })
    expect(await tree(content())).toEqual(before)
  })

  test('an old set that was left on the medium of a newer one is passed over, in whichever order they come', async () => {
    await makeVolumes(join(dir, 'first'), { shipments: chain.slice(0, 1) })
    expect(await unpack(join(dir, 'first'))).toMatchObject({ exit: 0 })
    const from = { sequence_number: 1, metadata_digest: chain[0]!.metadataDigest }
    await makeVolumes(join(dir, 'second'), { shipments: chain.slice(1), from })
    expect(await unpack(join(dir, 'second'), join(dir, 'first'))).toMatchObject({ exit: 0 })
    await expectLanded([1, 2, 3])
    expect(await unpack(join(dir, 'first'))).toMatchObject({ exit: 81 })
  })

  test('a gap, before anything is made', async () => {
    await volumes('media', { shipments: [chain[2]!], carried: [3] })
    const dependent = await makeShipment(join(dir, 'source'), {
      number: 4,
      previous: chain[2]!,
      dependencies: [
        { sequence_number: 3, name: chain[2]!.metadata.name, metadata_digest: chain[2]!.metadataDigest },
      ],
    })
    await makeVolumes(join(dir, 'gap'), { shipments: [dependent] })
    expect(await unpack(join(dir, 'gap'))).toMatchObject({ exit: 81 })
    expect(await readdir(dir)).not.toContain('content')
  })
})

test('metadata alone links the chain where its content was not needed', async () => {
  await makeVolumes(join(dir, 'first'), { shipments: chain.slice(0, 1) })
  expect(await unpack(join(dir, 'first'))).toMatchObject({ exit: 0 })
  const from = { sequence_number: 1, metadata_digest: chain[0]!.metadataDigest }
  await makeVolumes(join(dir, 'second'), { shipments: chain.slice(1), carried: [3], from })
  const ran = await unpack(join(dir, 'second'))
  expect(ran.exit).toBe(0)
  expect(ran.documents.map((document) => document['sequence_number'])).toEqual([3])
  await expectLanded([1, 3])
  expect(await readdir(join(content(), 'sample/.carryall/passed'))).toEqual([chain[1]!.metadata.name])
})

describe('a scan program', () => {
  test('sees every file, and can refuse the shipment', async () => {
    await volumes('media')
    const log = join(dir, 'scanned')
    const script = join(dir, 'scan')
    await writeFile(script, `#!/bin/sh\necho "$2" >>"$1"\n`, { mode: 0o755 })
    expect(await unpack(join(dir, 'media'), '--scan', script, '--scan-arg', log)).toMatchObject({ exit: 0 })
    expect((await readFile(log, 'utf8')).trim().split('\n')).toHaveLength(9)
    await rm(content(), { recursive: true })
    await rm(join(dir, 'state'), { recursive: true })
    await writeFile(script, '#!/bin/sh\n! grep -q 222 "$1"\n')
    const ran = await unpack(join(dir, 'media'), '--scan', script)
    expect(ran.exit).toBe(80)
    expect(ran.stderr).toContain('SCAN_REFUSED')
    await expectLanded([1])
  })
})

describe('receipts', () => {
  test('say what is here, also what was removed, and change nothing', async () => {
    await volumes('media')
    const file = join(dir, 'receipt.json')
    const ran = await unpack(join(dir, 'media'), '--receipt', file, '--site', 'plant-7')
    expect(ran.exit).toBe(0)
    const receipt = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>
    expect(receipt).toMatchObject({
      kind: 'Receipt',
      site: 'plant-7',
      holds: 'files',
      chains: [
        {
          name: 'sample',
          head: { sequence_number: 3, metadata_digest: chain[2]!.metadataDigest },
          shipments: [1, 2, 3].map((sequence_number) => ({
            sequence_number,
            state: 'complete',
            missing_bytes: 0,
          })),
        },
      ],
      audit_head: expect.stringMatching(/^sha256:/),
    })
    await rm(join(content(), 'sample', chain[0]!.metadata.name), { recursive: true })
    const only = await unpack('--receipt-only')
    expect(only.documents).toMatchObject([
      {
        kind: 'Receipt',
        chains: [{ shipments: [{ state: 'partial' }, { state: 'complete' }, { state: 'complete' }] }],
      },
    ])
  })

  test('a site that holds nothing says so', async () => {
    expect((await unpack('--receipt-only')).documents).toMatchObject([{ kind: 'Receipt', chains: [] }])
  })
})

test('Volume documents on stdin name where volumes are', async () => {
  const [volume] = await volumes('media')
  const document = JSON.parse(await readFile(join(volume!, 'volume.json'), 'utf8')) as object
  const stdin = JSON.stringify({ ...document, result: { ok: true, changed: true, directory: volume } })
  const ran = await runInProcess(command, ['--content', content(), '--state-dir', join(dir, 'state')], {
    stdin,
    cwd: dir,
  })
  expect(ran.exit).toBe(0)
  await expectLanded([1, 2, 3])
})

test('no volume, and nobody who writes: usage; a directory without any: 66', async () => {
  expect(await unpack()).toMatchObject({ exit: 64 })
  await mkdir(join(dir, 'nothing'))
  expect(await unpack(join(dir, 'nothing'))).toMatchObject({ exit: 66 })
})
