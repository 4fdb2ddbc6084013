import { cp, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { AuditReport, ChainState, PushReport, Receipt, Sequence } from '@carryall/schemas'
import type { Ran, RunOptions } from '@carryall/cli/testing'
import { pushSample, sampleImage, startDockerRegistry, type DockerRegistry } from '@carryall/oci/testing'
import { makeSigner, writeTrust, type TestSigner } from '@carryall/trust/testing'
import { startFaultProxy } from '../support/fault-proxy.ts'
import { startLane, type Lane } from '../support/lane.ts'
import { failure, only } from '../support/ran.ts'
import { run } from '../support/run.ts'
import { makeScratch, type Scratch } from '../support/scratch.ts'
import { servedDuring, writes } from '../support/served.ts'
import { openStores } from '../support/stores.ts'
import { seqMeta, seqPush } from '../support/tools.ts'

const [one, two, extra] = ['one', 'two', 'extra'].map((name) => sampleImage(name)) as [
  ReturnType<typeof sampleImage>,
  ReturnType<typeof sampleImage>,
  ReturnType<typeof sampleImage>,
]

let lane: Lane
let signer: TestSigner
let stranger: TestSigner
let target: DockerRegistry
let scratch: Scratch
let stateDir: string
const sequences: { readonly directory: string; readonly document: Sequence }[] = []

/** app:v is `one`, then `two`, then `one` again; what else there is makes each a sequence of its own. */
beforeAll(async () => {
  signer = await makeSigner('release@carryall.example')
  stranger = await makeSigner('stranger@carryall.example')
  lane = await startLane([])
  for (const [index, app] of [one, two, one].entries()) {
    await lane.publish([
      { repository: 'app', tag: 'v', sample: app },
      { repository: 'extra', tag: `${index}`, sample: extra },
    ])
    await lane.configure([`${lane.source.host}/app:v`, `${lane.source.host}/extra:${index}`])
    const { document, result } = only<Sequence>(await lane.mirror(['--description', `n${index + 1}`]))
    sequences.push({ document, directory: result.directory })
  }
})

afterAll(async () => {
  await lane[Symbol.asyncDispose]()
  await signer[Symbol.asyncDispose]()
  await stranger[Symbol.asyncDispose]()
})

beforeEach(async () => {
  target = await startDockerRegistry({ relativeUrls: true })
  scratch = await makeScratch()
  stateDir = scratch.at('state')
})

afterEach(async () => {
  await target.stop()
  await scratch[Symbol.asyncDispose]()
})

/** At a site that remembers. */
const push = (argv: readonly string[], options: RunOptions = {}): Promise<Ran> =>
  seqPush([...argv, `docker://${target.host}`], {
    ...options,
    env: { CARRYALL_STATE_DIR: stateDir, SUDO_USER: 'alice', ...options.env },
  })

let trips = 0

/** The whole content directory, or some of it, with signatures over the sums of those numbers. */
async function carry(
  numbers: readonly number[],
  signed: Readonly<Record<number, TestSigner>> = {},
): Promise<string> {
  const content = scratch.at(`carried-${++trips}`)
  await mkdir(content)
  for (const number of numbers) {
    const { directory, document } = sequences[number - 1]!
    const copy = join(content, document.name)
    await cp(directory, copy, { recursive: true })
    const key = signed[number]
    if (key === undefined) continue
    const signature = await key.sign(await readFile(join(copy, 'SHA256SUMS')))
    await writeFile(join(copy, `SHA256SUMS.${key.fingerprint}.asc`), signature)
  }
  return content
}

const name = (number: number): string => sequences[number - 1]!.document.name
const state = async (): Promise<ChainState> =>
  JSON.parse(
    await readFile(join(stateDir, 'chains', `${sequences[0]!.document.chain.id}.json`), 'utf8'),
  ) as ChainState
const audit = async (): Promise<Record<string, unknown>[]> =>
  (await readFile(join(stateDir, 'audit.ndjson'), 'utf8'))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>)
const absent = { code: 'ENOENT' }
const digestAt = async (image: string): Promise<string | null> => {
  const accept = 'application/vnd.oci.image.manifest.v1+json'
  const answer = await fetch(`${target.url}/v2/${image.replace(':', '/manifests/')}`, {
    method: 'HEAD',
    headers: { accept },
  })
  return answer.headers.get('docker-content-digest')
}

describe('what was pushed before', () => {
  test('does not come back: A, B, A, then B alone', async () => {
    const content = await carry([1, 2, 3])
    for (const number of [1, 2, 3]) only(await push([join(content, name(number))]))
    expect(await digestAt('app:v')).toBe(one.descriptor.digest)
    const before = await state()
    const served = await servedDuring(target, async () => {
      expect(failure(await push([join(content, name(2))]))).toEqual([81, 'SEQ_ROLLBACK'])
      expect(failure(await push([join(content, name(2)), '-n']))).toEqual([81, 'SEQ_ROLLBACK'])
    })
    expect(writes(served)).toEqual([])
    expect(await digestAt('app:v')).toBe(one.descriptor.digest)
    expect(await state()).toEqual(before)
    expect((await audit()).map(({ outcome, code }) => [outcome, code])).toEqual([
      ['done', undefined],
      ['done', undefined],
      ['done', undefined],
      ['refused', 'SEQ_ROLLBACK'],
    ])
  })

  test('may be pushed again where no tag would move', async () => {
    const content = await carry([1, 2, 3])
    only(await push([content]))
    const entries = (await audit()).length
    const { result } = only<PushReport>(await push([join(content, name(1))]))
    expect(result).toMatchObject({ ok: true, changed: false })
    expect((await state()).mark?.sequence_number).toBe(3)
    // What was not written needs no entry.
    expect(await audit()).toHaveLength(entries)
    // An image that has gone is put back; that is no way back for a tag.
    await fetch(`${target.url}/v2/extra/manifests/${extra.descriptor.digest}`, { method: 'DELETE' })
    expect(only<PushReport>(await push([join(content, name(1))])).document.totals).toMatchObject({
      pushed: 1,
      same: 1,
    })
    expect((await state()).mark?.sequence_number).toBe(3)
  })

  test('is remembered by number and digest, from the first push on', async () => {
    const content = await carry([1, 2])
    only(await push([join(content, name(1)), '-n']))
    await expect(stat(stateDir)).rejects.toMatchObject(absent)
    only(await push([content]))
    expect(await state()).toMatchObject({
      kind: 'ChainState',
      chain: sequences[0]!.document.chain,
      mark: { sequence_number: 2, metadata_digest: sequences[2]!.document.previous },
      signed: false,
      digests: [
        { sequence_number: 1, metadata_digest: sequences[1]!.document.previous },
        { sequence_number: 2, metadata_digest: sequences[2]!.document.previous },
      ],
    })
    expect(await state()).not.toHaveProperty('landed')
  })

  test('counts from another history, too', async () => {
    const content = await carry([1, 2])
    only(await push([join(content, name(1))]))
    const file = join(stateDir, 'chains', `${sequences[0]!.document.chain.id}.json`)
    await writeFile(
      file,
      (await readFile(file, 'utf8')).replaceAll(sequences[1]!.document.previous!, `sha256:${'0'.repeat(64)}`),
    )
    expect(failure(await push([join(content, name(2))]))).toEqual([81, 'SEQ_FORK'])
    await writeFile(file, 'damaged')
    expect(failure(await push([join(content, name(2))]))).toEqual([81, 'SEQ_STATE_MISMATCH'])
  })

  test('is marked where a tag was left to somebody else, and not where an image failed', async () => {
    const content = await carry([1, 2])
    await using proxy = await startFaultProxy(target.url)
    proxy.faults = ({ method, path }) =>
      method === 'PUT' && path.includes('/extra/manifests/') ? { fault: 'status', status: 500 } : undefined
    const flags = ['--retry-times', '0', `docker://${proxy.host}`]
    const env = { CARRYALL_STATE_DIR: stateDir }
    only(await seqPush([join(content, name(1)), ...flags], { env }), 1)
    await expect(state()).rejects.toMatchObject(absent)
    expect((await audit()).at(-1)).toMatchObject({ outcome: 'failed', code: 'NET_UNAVAILABLE' })

    const stores = await openStores()
    await pushSample(stores.registry(target.host), 'app', extra, 'v')
    await stores.close()
    only(await push([content]), 84)
    expect((await state()).mark?.sequence_number).toBe(2)
    expect((await audit()).at(-1)).toMatchObject({ outcome: 'failed', code: 'TAG_CONFLICT' })
  })
})

describe('with a trust file', () => {
  const trusted = (more: Parameters<typeof writeTrust>[2] = {}): Promise<string> =>
    writeTrust(scratch.at('trust'), [signer], more)

  test('what trusted keys vouch for is pushed, and unsigned is refused from then on', async () => {
    const trust = await trusted()
    const signed = await carry([1, 2], { 2: signer })
    only(await push([signed, '--trust', trust]))
    expect(await state()).toMatchObject({ signed: true })
    const unsigned = await carry([1, 2, 3])
    expect(failure(await push([unsigned, '--trust', trust]))).toEqual([80, 'SIG_MISSING'])
    expect(failure(await push([unsigned]))).toEqual([80, 'SIG_MISSING'])
    // Nor is what is signed taken on trust once the trust file is gone.
    expect(failure(await push([signed]))).toEqual([80, 'SIG_MISSING'])
    expect(await digestAt('app:v')).toBe(two.descriptor.digest)
    expect((await audit()).map(({ outcome, code }) => [outcome, code])).toEqual([
      ['done', undefined],
      ['refused', 'SIG_MISSING'],
      ['refused', 'SIG_MISSING'],
      ['refused', 'SIG_MISSING'],
    ])
  })

  test('the one of the system counts where none is named', async () => {
    await trusted()
    const content = await carry([1])
    expect(failure(await push([content], { etc: scratch.at('trust') }))).toEqual([80, 'SIG_MISSING'])
  })

  test('a signature of somebody else, or over other sums, does not count', async () => {
    const trust = await trusted()
    expect(failure(await push([await carry([1], { 1: stranger }), '--trust', trust]))).toEqual([
      80,
      'SIG_UNKNOWN_KEY',
    ])
    const content = await carry([1], { 1: signer })
    const other = join(await carry([2], { 2: signer }), name(2))
    const signature = `SHA256SUMS.${signer.fingerprint}.asc`
    await cp(join(other, signature), join(content, name(1), signature))
    expect(failure(await push([content, '--trust', trust]))).toEqual([80, 'SIG_INVALID'])
  })

  test('a sequence that nobody vouches for does not say which tags may move', async () => {
    const trust = await trusted()
    // Number 1 is unsigned, and the link that would vouch for it is not here.
    only(await push([await carry([1])], { env: { CARRYALL_STATE_DIR: scratch.at('other') } }))
    const content = await carry([1, 3], { 3: signer })
    only<PushReport>(await push([join(content, name(3)), '--trust', trust]))
    const stores = await openStores()
    await pushSample(stores.registry(target.host), 'app', two, 'v')
    await stores.close()
    const whole = await carry([2, 3], { 3: signer })
    expect(
      only<PushReport>(await push([join(whole, name(3)), '--trust', trust])).document.totals,
    ).toMatchObject({ moved: 1 })
  })

  test('what is for other sites is refused by the name of this one', async () => {
    await lane.configure([`${lane.source.host}/app:v`])
    const { result } = only<Sequence>(
      await lane.mirror(['--content', scratch.at('for-b'), '--site', 'plant-b']),
    )
    const content = join(result.directory, '..')
    const sums = await readFile(join(result.directory, 'SHA256SUMS'))
    await writeFile(join(result.directory, `SHA256SUMS.${signer.fingerprint}.asc`), await signer.sign(sums))
    const trust = await trusted({ site: 'plant-a' })
    expect(failure(await push([content, '--trust', trust]))).toEqual([81, 'SEQ_WRONG_SITE'])
    only(await push([content, '--trust', trust, '--site', 'plant-b']))
    expect(await digestAt('app:v')).toBe(one.descriptor.digest)
  })

  test('a chain that it does not list is refused', async () => {
    const trust = await trusted({ chains: [{ id: '00000000-0000-4000-8000-000000000009' }] })
    expect(failure(await push([await carry([1], { 1: signer }), '--trust', trust]))).toEqual([
      81,
      'SEQ_WRONG_CHAIN',
    ])
  })

  test('archives that have no metadata are refused', async () => {
    const foreign = scratch.at('foreign')
    await mkdir(foreign)
    await cp(join(sequences[0]!.directory, 'mirror_000001.tar'), join(foreign, 'mirror_000001.tar'))
    expect(failure(await push([foreign, '--trust', await trusted()]))).toEqual([80, 'SIG_MISSING'])
    only(await push([foreign]))
    expect((await audit()).at(-1)).toMatchObject({ action: 'push', outcome: 'done' })
    expect((await audit()).at(-1)).not.toHaveProperty('subject')
  })
})

describe('the audit log', () => {
  test('tells who pushed what to where, with which overrides', async () => {
    const content = await carry([1])
    only(await push([content, '--allow-expired', '--plain-http', target.host]))
    const ran = await seqMeta(['audit', '--state-dir', stateDir])
    expect(only<AuditReport>(ran).document).toMatchObject({
      entries: 1,
      intact: true,
      actions: [{ name: 'push', entries: 1 }],
      overrides: [{ action: 'push', flags: expect.arrayContaining(['allow-expired']) as string[] }],
    })
    expect(await audit()).toMatchObject([
      {
        kind: 'AuditEntry',
        tool: { name: 'seq-push' },
        user: { uid: process.getuid!() },
        action: 'push',
        target: `docker://${target.host}`,
        subject: { kind: 'Sequence', name: name(1), digest: sequences[1]!.document.previous },
        outcome: 'done',
      },
    ])
  })

  test('has to be writable before anything is pushed', async () => {
    await mkdir(join(stateDir, 'audit.ndjson'), { recursive: true })
    const content = await carry([1])
    const served = await servedDuring(target, async () => {
      expect((await push([content])).exit).toBe(73)
    })
    expect(writes(served)).toEqual([])
  })

  test('holds what a push that failed has begun', async () => {
    const content = await carry([1])
    const archive = join(content, name(1), 'mirror_000001.tar')
    const bytes = await readFile(archive)
    bytes[bytes.length >> 1]! ^= 1
    await writeFile(archive, bytes)
    const ran = await push([content])
    expect(ran.exit).toBe(82)
    expect(await audit()).toMatchObject([{ outcome: 'failed', code: 'DIGEST_MISMATCH' }])
  })
})

describe('a receipt', () => {
  const receiptFile = (): string => scratch.at('receipt.json')
  const receipt = async (): Promise<Receipt> => JSON.parse(await readFile(receiptFile(), 'utf8')) as Receipt

  test('names the head of the log, which seq-meta finds there', async () => {
    only(await push([await carry([1]), '--receipt', receiptFile()]))
    only(await push([await carry([1, 2])]))
    const { audit_head: head } = await receipt()
    expect(head).toMatch(/^sha256:/)
    const argv = ['audit', '--state-dir', stateDir, '--expect-head', receiptFile()]
    expect(only<AuditReport>(await seqMeta(argv)).document).toMatchObject({
      entries: 2,
      expected_head: 'found',
    })
    await writeFile(join(stateDir, 'audit.ndjson'), '')
    expect((await seqMeta(argv)).exit).toBe(82)
  })

  test('is signed so that gpgv alone can tell', async () => {
    const flags = ['--receipt', receiptFile(), '--sign-key', signer.fingerprint, '--gpg-home', signer.home]
    only(await push([await carry([1]), ...flags]))
    await writeFile(scratch.at('key.gpg'), await signer.gpg(['--export', signer.fingerprint]))
    const check = () =>
      run('gpgv', ['--keyring', scratch.at('key.gpg'), `${receiptFile()}.asc`, receiptFile()])
    expect((await check()).exit).toBe(0)
    await writeFile(receiptFile(), (await readFile(receiptFile(), 'utf8')).replace('"complete"', '"partial"'))
    expect((await check()).exit).not.toBe(0)
  })

  test('whose key is not there stops the push before it begins', async () => {
    const content = await carry([1])
    const served = await servedDuring(target, async () => {
      const ran = await push([
        content,
        '--receipt',
        receiptFile(),
        '--sign-key',
        'nobody@carryall.example',
        '--gpg-home',
        signer.home,
      ])
      expect(failure(ran)).toEqual([80, 'SIG_UNKNOWN_KEY'])
    })
    expect(writes(served)).toEqual([])
    expect(failure(await push([content, '--sign-key', signer.fingerprint]))).toEqual([64])
  })

  test('reaches as far as anything of the chain is known here', async () => {
    const content = await carry([1])
    const passed = join(content, '.carryall/headstones', name(2))
    await mkdir(passed, { recursive: true })
    for (const file of ['seq-metadata.yaml', 'SHA256SUMS'])
      await cp(join(sequences[1]!.directory, file), join(passed, file))
    only(await push([content, '--receipt', receiptFile()]))
    expect((await receipt()).chains).toMatchObject([
      { head: { sequence_number: 2 }, shipments: [{ sequence_number: 1, state: 'complete' }] },
    ])
  })
})
