import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sampleImage, startDockerRegistry, type DockerRegistry } from '@carryall/oci/testing'
import type { Shipment } from '@carryall/shipment'
import { makeShipment } from '@carryall/shipment/testing'
import { makeSigner, writeTrust } from '@carryall/trust/testing'
import { installBundles, type Installed } from '../support/bundles.ts'
import { startLane, type Lane } from '../support/lane.ts'
import { mustRun, type Ended } from '../support/run.ts'
import { nameOf, type Named } from '../support/sample-set.ts'
import { makeScratch } from '../support/scratch.ts'
import { documents, shell } from '../support/shell.ts'
import { rawManifest } from '../support/skopeo.ts'

const base = sampleImage('base', { layers: [3_000_000] })
const image = (tag: string): Named => ({
  repository: 'app',
  tag,
  sample: sampleImage(`app ${tag}`, { layers: [200_000], shared: base.blobs.slice(1) }),
})

let installed: Installed
beforeAll(async () => {
  installed = await installBundles()
})
afterAll(() => installed[Symbol.asyncDispose]())

async function filesOf(root: string): Promise<Record<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return Object.fromEntries(
    await Promise.all(files.map(async (file) => [file.slice(root.length), await readFile(file, 'latin1')])),
  ) as Record<string, string>
}

describe('the lane as it is written in the README', () => {
  let lane: Lane
  let target: DockerRegistry
  beforeAll(async () => {
    lane = await startLane([image('1'), image('2')])
    target = await startDockerRegistry()
    for (const name of ['receipts', 'media']) await mkdir(lane.scratch.at(name))
  })
  afterAll(async () => {
    await lane[Symbol.asyncDispose]()
    await target.stop()
  })
  const near = (script: string) =>
    shell(installed, lane.scratch.path, script, { CARRYALL_STATE_DIR: lane.scratch.at('near') })
  const far = (script: string) =>
    shell(installed, lane.scratch.path, script, { CARRYALL_STATE_DIR: lane.scratch.at('far') })
  const across = (script: string): string =>
    script.replaceAll('/media/usb', 'media').replaceAll('/srv/content', 'srv')
  const PACK = (have: string): string =>
    across(
      `mirror-seq -c imageset-config.yaml --content content | transfer-plan ${have} --media usb:64GB --filesystem exfat | transfer-pack --out /media/usb`,
    )
  const UNPACK = (): string =>
    across(
      `transfer-unpack /media/usb --content /srv/content | seq-push - docker://${target.host} --receipt /media/usb/receipt.json`,
    )

  test('without a receipt the first trip asks what is there', async () => {
    await lane.configure([image('1')])
    const ended = await near(PACK('--have receipts/'))
    expect(ended.exit).not.toBe(0)
    expect(ended.stderr).toContain('RECEIPT_MISSING')
    expect(await readdir(lane.scratch.at('media'))).toEqual([])
  })

  test('the first trip carries everything, and brings a receipt back', async () => {
    const packed = await near(PACK('--have-nothing'))
    expect(packed.exit, packed.stderr).toBe(0)
    expect(documents(packed)).toMatchObject([
      { kind: 'Volume', number: 1, volumes: 1, result: { changed: true } },
    ])
    const { directory } = documents(packed)[0]!['result'] as { readonly directory: string }
    await mustRun('sha256sum', ['--quiet', '-c', 'SHA256SUMS'], { cwd: directory })
    const pushed = await far(UNPACK())
    expect(pushed.exit, pushed.stderr).toBe(0)
    expect(documents(pushed)).toMatchObject([{ kind: 'PushReport', totals: { pushed: 1 } }])
    await cp(lane.scratch.at('media/receipt.json'), lane.scratch.at('receipts/1.json'))
  })

  test('the second trip carries only the difference', async () => {
    await lane.configure([image('1'), image('2')])
    const first = (await readdir(lane.scratch.at('media'))).find((name) => name.startsWith('carryall-'))!
    const packed = await near(PACK('--have receipts/'))
    expect(packed.exit, packed.stderr).toBe(0)
    const [volume] = documents(packed) as [{ entries: { shipment: string; size_bytes: number }[] }]
    expect(new Set(volume.entries.map((entry) => entry.shipment)).size).toBe(1)
    expect(volume.entries.reduce((sum, entry) => sum + entry.size_bytes, 0)).toBeLessThan(1_000_000)
    const pushed = await far(UNPACK())
    expect(pushed.exit, pushed.stderr).toBe(0)
    expect(documents(pushed).at(-1)).toMatchObject({ totals: { images: 2, pushed: 1, same: 1 } })
    for (const one of [image('1'), image('2')])
      expect(await rawManifest(`docker://${target.host}/${nameOf(one)}`)).toEqual(one.sample.manifest.bytes)
    const old = await far(`transfer-unpack media/${first} --content srv`)
    expect(old.exit).toBe(81)
    await cp(lane.scratch.at('media/receipt.json'), lane.scratch.at('receipts/2.json'))
  })

  test('then nothing is left: an empty plan passes through the pipe', async () => {
    const ended = await near(PACK('--have receipts/'))
    expect(ended.exit, ended.stderr).toBe(0)
    const plan = await near('transfer-plan content --have receipts/ --media usb:64GB')
    expect(documents(plan)).toMatchObject([{ kind: 'TransferPlan', volumes: [], result: { changed: false } }])
    const audit = await far('seq-meta audit --expect-head receipts/2.json')
    expect(audit.exit, audit.stderr).toBe(0)
    expect(documents(audit)).toMatchObject([{ kind: 'AuditReport', intact: true, expected_head: 'found' }])
  })
})

const dependency = ({ metadata, metadataDigest }: Shipment) => ({
  sequence_number: metadata.sequence_number,
  name: metadata.name,
  metadata_digest: metadataDigest,
})

describe('a shipment of another lane, with keys that nobody here knows', () => {
  const content = async (root: string): Promise<readonly Shipment[]> => {
    const chain: Shipment[] = []
    for (const number of [1, 2]) {
      const previous = chain.at(-1)
      chain.push(
        await makeShipment(root, {
          number,
          kind: 'SystemRelease',
          lane: 'release',
          ...(previous === undefined ? {} : { previous, dependencies: [dependency(previous)] }),
          files: { 'stream.btrfs': `${number} stream `.repeat(50_000), 'checks/health.sh': '#!/bin/sh\n' },
          extra: { subvolume: { uuid: 'unknown here', generation: 7 } },
        }),
      )
    }
    return chain
  }
  const forms: readonly (readonly [string, string, string])[] = [
    ['directories', 'transfer-pack plan.json --out media >/dev/null', 'transfer-unpack media --content far'],
    [
      'ISO images',
      'transfer-pack plan.json --out media --iso >/dev/null',
      'transfer-unpack media --content far',
    ],
    [
      'a tar stream',
      'true',
      'transfer-pack plan.json --stdout --result volumes.json | transfer-unpack - --content far',
    ],
    [
      'Volume documents on a pipe',
      'true',
      'transfer-pack plan.json --out media | transfer-unpack --content far',
    ],
  ]

  test.each(forms)('crosses in %s', async (_, pack, unpack) => {
    await using scratch = await makeScratch()
    const chain = await content(scratch.at('near'))
    const sh = (script: string) =>
      shell(installed, scratch.path, script, { CARRYALL_STATE_DIR: scratch.at('state') })
    const planned = await sh(
      `seq-meta list near | transfer-plan --have-nothing --media 700kB --filesystem iso9660 >plan.json && ${pack}`,
    )
    expect(planned.exit, planned.stderr).toBe(0)
    const ended: Ended = await sh(unpack)
    expect(ended.exit, ended.stderr).toBe(0)
    await writeFile(scratch.at('landed.ndjson'), ended.stdout)
    expect(documents(await sh('seq-meta verify <landed.ndjson'))).toMatchObject(
      chain.map(() => ({ kind: 'Verification', faults: [], missing: [] })),
    )
    expect(documents(ended)).toMatchObject(
      chain.map(({ metadata, metadataDigest }) => ({
        kind: 'SystemRelease',
        subvolume: { generation: 7 },
        sequence_number: metadata.sequence_number,
        result: { changed: true, metadata_digest: metadataDigest },
      })),
    )
    for (const { directory, metadata } of chain)
      expect(await filesOf(scratch.at('far/sample', metadata.name))).toEqual(await filesOf(directory))
  })
})

test('signed, encrypted for the courier, and refused without the key or the signature', async () => {
  await using scratch = await makeScratch()
  await using lane = await startLane([image('1')])
  await using signer = await makeSigner()
  await lane.configure([image('1')])
  const sh = (script: string, env: Record<string, string> = {}) =>
    shell(installed, scratch.path, script, { CARRYALL_STATE_DIR: scratch.at('state'), ...env })
  await mustRun('age-keygen', ['-o', scratch.at('identity')])
  const recipient = /age1[0-9a-z]+/.exec(await readFile(scratch.at('identity'), 'utf8'))![0]
  const trust = await writeTrust(scratch.at('trust'), [signer])
  const home = { GNUPGHOME: signer.home }
  const packed = await sh(
    `mirror-seq -c ${lane.config} --content ${lane.content} --sign-key ${signer.fingerprint} |
     transfer-plan --have-nothing --media 2MB | transfer-pack --out media --encrypt-to ${recipient} --sign-key ${signer.fingerprint}`,
    home,
  )
  expect(packed.exit, packed.stderr).toBe(0)
  const unpack = `transfer-unpack media --content far --trust ${trust}`
  const keyless = await sh(unpack)
  expect(keyless.exit).toBe(64)
  expect((await sh(`${unpack} --identity identity`)).exit).toBe(0)
  const [sequence] = await readdir(lane.content).then((names) =>
    names.filter((name) => name.startsWith('seq')),
  )
  expect(await filesOf(scratch.at('far/mirror', sequence!))).toEqual(
    await filesOf(join(lane.content, sequence!)),
  )
  const verified = await sh(`seq-meta verify far/mirror --trust ${trust}`)
  expect(documents(verified)).toMatchObject([{ signed: true, signers: [signer.fingerprint], faults: [] }])

  const again = await sh(`${unpack} --identity identity`)
  expect(documents(again)).toMatchObject([{ result: { changed: false, signed: true } }])
  const forgotten = await sh('transfer-unpack media --content far --identity identity')
  expect(forgotten).toMatchObject({ exit: 80 })

  await using stranger = await makeSigner('stranger')
  const other = await writeTrust(scratch.at('other'), [stranger])
  const refused = await sh(`transfer-unpack media --content elsewhere --trust ${other} --identity identity`, {
    CARRYALL_STATE_DIR: scratch.at('other-state'),
  })
  expect(refused.exit).toBe(80)
  expect(await readdir(scratch.path)).not.toContain('elsewhere')
})

test('a receipt that somebody else wrote is refused where the site signs its own', async () => {
  await using scratch = await makeScratch()
  await using signer = await makeSigner('plant-7')
  await using forger = await makeSigner('forger')
  await makeShipment(scratch.at('near'), { number: 1 })
  const trust = await writeTrust(scratch.at('trust'), [signer, forger], {
    sites: [{ name: 'plant-7', keys: [signer.fingerprint] }],
  })
  const sh = (script: string, env: Record<string, string> = {}) =>
    shell(installed, scratch.path, script, { CARRYALL_STATE_DIR: scratch.at('state'), ...env })
  const plan = `transfer-plan near --have receipt.json --trust ${trust}`
  const answer = `transfer-unpack --content far --receipt-only --site plant-7 --receipt receipt.json`
  expect((await sh(`${answer} --sign-key ${forger.fingerprint}`, { GNUPGHOME: forger.home })).exit).toBe(0)
  expect((await sh(plan)).exit).toBe(80)
  await rm(scratch.at('receipt.json.asc'))
  expect((await sh(plan)).exit).toBe(80)
  const signed = await sh(`${answer} --sign-key ${signer.fingerprint}`, { GNUPGHOME: signer.home })
  expect(signed.exit, signed.stderr).toBe(0)
  const good = await sh(plan)
  expect(good.exit, good.stderr).toBe(0)
  expect(documents(good)).toMatchObject([{ basis: { receipts: [{ signed_by: [signer.fingerprint] }] } }])
})
