import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeVolumes } from '@carryall/media/testing'
import type { Volume } from '@carryall/schemas'
import type { Shipment } from '@carryall/shipment'
import { makeSigner, writeTrust, type TestSigner } from '@carryall/trust/testing'
import { cellsOf, checkCell, type Given, type Row } from '../support/transfer-cells.ts'
import { auditOf, cloneFar, published, stateOf, unpack } from '../support/transfer-far.ts'
import { edit, forgeAll, readFiles } from '../support/transfer-forge.ts'
import { makeStandings, STANDINGS, type Standing } from '../support/transfer-sites.ts'
import { CHAIN, makeWorld, OTHER_CHAIN, SITE, type World } from '../support/transfer-world.ts'

// Signatures that are missing, wrong, of the wrong key or of a key that counts no more.
const NOW = new Date()
const AT = [0, 2, 3].map((index) => STANDINGS[index]!)

let world: World
let signed: readonly Standing[]
let unsigned: readonly Standing[]
let old: TestSigner
beforeAll(async () => {
  world = await makeWorld()
  signed = await makeStandings(world, NOW)
  unsigned = await makeStandings(world, NOW, { signed: false })
  old = await makeSigner('old@carryall.example', { at: '20260101T000000' })
  // A key that is revoked signs no more.
  for (const { newest } of signed) await by(newest, 'gone')
  await (await world.key('gone')).revoke()
})
afterAll(async () => {
  await old[Symbol.asyncDispose]()
  await world[Symbol.asyncDispose]()
})

const by = (n: number, ...signers: readonly string[]): Promise<Shipment> => world.like(n + 1, { signers })
const one = async (shipment: Promise<Shipment>, more: Partial<Given> = {}): Promise<Given> => ({
  media: [await world.set([await shipment])],
  ...more,
})

/** The next one with this signature file beside it, or in place of one. */
async function withSignature(
  n: number,
  make: (sums: Buffer) => Promise<readonly [fingerprint: string, signature: Buffer]>,
  signers: readonly string[] = [],
): Promise<Shipment> {
  // Of its own: what others know must not change.
  const shipment = await world.like(n + 1, { signers, extra: { note: world.fresh('note') } })
  const [fingerprint, signature] = await make(await readFile(join(shipment.directory, 'SHA256SUMS')))
  await writeFile(join(shipment.directory, `SHA256SUMS.${fingerprint}.asc`), signature)
  return shipment
}

/** A trust file where the old key has given its place to the second. `endorsement` is over the second key's file. */
async function rotated(endorsement: (key: Buffer) => Promise<Buffer>): Promise<string> {
  const second = await world.key('second')
  const directory = world.fresh('rotated')
  const names = { [old.fingerprint]: { not_after: '2026-06-01T00:00:00Z' } }
  const file = await writeTrust(directory, [old, second], {
    site: SITE,
    keys: [
      { fingerprint: old.fingerprint, file: `${old.fingerprint}.asc`, ...names[old.fingerprint] },
      {
        fingerprint: second.fingerprint,
        file: `${second.fingerprint}.asc`,
        endorsed_by: { fingerprint: old.fingerprint, signature: 'endorsement.asc' },
      },
    ],
  })
  await writeFile(join(directory, 'endorsement.asc'), await endorsement(second.publicKey), { mode: 0o644 })
  return file
}

const lateSignature = (data: Buffer): Promise<Buffer> =>
  old.gpg(
    ['--faked-system-time', '20260901T000000', '--armor', '--detach-sign', '--local-user', old.fingerprint],
    data,
  )

const rows: readonly Row[] = [
  { input: 'the next, signed', give: (n) => one(by(n, 'build')), expected: '0 +1' },
  { input: 'the next, unsigned', give: (n) => one(by(n)), expected: '80 SIG_MISSING' },
  {
    input: 'an unsigned one, vouched for by the next',
    give: async (n) => {
      const first = await by(n)
      return { media: [await world.set([first, await world.like(n + 2, { previous: first })])] }
    },
    expected: '0 +1 +2',
  },
  {
    input: 'a signed one, then an unsigned one',
    give: async (n) => ({ media: [await world.set([await by(n, 'build'), await by(n + 1)])] }),
    expected: '80 SIG_MISSING',
  },
  {
    input: 'the next, without a trust file',
    give: (n) => one(by(n), { trust: 'none' }),
    expected: ['0 +1', ...Array.from({ length: 5 }, () => '80 SIG_MISSING')],
  },
  {
    input: 'the next, signed, without a trust file',
    give: (n) => one(by(n, 'build'), { trust: 'none' }),
    expected: ['0 +1', ...Array.from({ length: 5 }, () => '80 SIG_MISSING')],
  },
  {
    input: 'the next, without a trust file, with --accept-state-reset',
    give: (n) => one(by(n), { trust: 'none', flags: ['--accept-state-reset'] }),
    expected: ['0 +1', ...Array.from({ length: 5 }, () => '80 SIG_MISSING')],
  },
  { input: 'one of a stranger', give: (n) => one(by(n, 'stranger')), expected: '80 SIG_UNKNOWN_KEY' },
  {
    input: 'one of a stranger and of one who counts',
    give: (n) => one(by(n, 'stranger', 'build')),
    expected: '0 +1',
  },
  {
    input: "one with another one's signature",
    give: (n) =>
      one(
        withSignature(n, async () => {
          const { fingerprint } = await world.key('build')
          const { directory } = await world.like(9)
          return [fingerprint, await readFile(join(directory, `SHA256SUMS.${fingerprint}.asc`))]
        }),
      ),
    expected: '80 SIG_INVALID',
  },
  {
    input: 'one with no signature in the file of one',
    give: (n) => one(withSignature(n, async () => ['A'.repeat(40), Buffer.from('trust me\n')])),
    expected: '80 SIG_INVALID',
  },
  {
    input: 'one whose signature was taken away',
    give: async (n) => {
      const media = await world.set([await by(n, 'build')])
      return {
        media: [
          await forgeAll(world, media, (files) => {
            for (const path of files.keys()) if (path.endsWith('.asc')) files.delete(path)
            edit(files, (volume) => {
              volume.metadata = volume.metadata.filter(({ path }) => !path.endsWith('.asc'))
            })
          }),
        ],
      }
    },
    expected: '80 SIG_MISSING',
  },
  {
    input: 'one that was rewritten, with the signature of the true one',
    give: (n) =>
      one(
        withSignature(n, async () => {
          const { fingerprint } = await world.key('build')
          const { directory } = await by(n, 'build')
          return [fingerprint, await readFile(join(directory, `SHA256SUMS.${fingerprint}.asc`))]
        }),
      ),
    expected: '80 SIG_INVALID',
  },
  {
    input: 'one by a key that the trust file revokes',
    give: async (n) => {
      const { fingerprint } = await world.key('build')
      return one(by(n, 'build'), {
        trust: await world.trust(['build', 'second'], { revoked: [fingerprint] }),
      })
    },
    expected: '80 SIG_KEY_REVOKED',
  },
  {
    input: 'one by a key with its revocation',
    give: async (n) => {
      const signer = await world.key('gone')
      const publicKey = await signer.gpg(['--armor', '--export', signer.fingerprint])
      return one(by(n, 'gone'), {
        trust: await writeTrust(world.fresh('revoked'), [{ ...signer, publicKey }], { site: SITE }),
      })
    },
    expected: '80 SIG_KEY_REVOKED',
  },
  {
    input: 'one by the new key, which the old one endorses',
    give: async (n) => one(by(n, 'second'), { trust: await rotated((key) => old.sign(key)) }),
    expected: '0 +1',
  },
  {
    input: 'one by the old key, before it gave its place away',
    give: async (n) =>
      one(
        withSignature(n, async (sums) => [old.fingerprint, await old.sign(sums)]),
        { trust: await rotated((key) => old.sign(key)) },
      ),
    expected: '0 +1',
  },
  {
    input: 'one by the old key, after it gave its place away',
    give: async (n) =>
      one(
        withSignature(n, async (sums) => [old.fingerprint, await lateSignature(sums)]),
        { trust: await rotated((key) => old.sign(key)) },
      ),
    expected: '80 SIG_KEY_EXPIRED',
  },
  {
    input: 'one by a new key that a stranger endorses',
    give: async (n) =>
      one(by(n, 'second'), { trust: await rotated(async (key) => (await world.key('stranger')).sign(key)) }),
    expected: '78 CONFIG_INVALID',
  },
  {
    input: 'one by a new key, where the endorsement is of another one',
    give: async (n) =>
      one(by(n, 'second'), {
        trust: await rotated(async () => old.sign((await world.key('stranger')).publicKey)),
      }),
    expected: '78 CONFIG_INVALID',
  },
  {
    input: 'one by a new key that the old one endorsed too late',
    give: async (n) => one(by(n, 'second'), { trust: await rotated(lateSignature) }),
    expected: '78 CONFIG_INVALID',
  },
  {
    input: 'one by one of the two who are wanted',
    give: async (n) =>
      one(by(n, 'build'), { trust: await world.trust(['build', 'second'], { threshold: 2 }) }),
    expected: '80 SIG_THRESHOLD',
  },
  {
    input: 'one twice by one of the two who are wanted',
    give: async (n) =>
      one(
        withSignature(
          n,
          async (sums) => [
            (await world.key('second')).fingerprint,
            await (await world.key('build')).sign(sums),
          ],
          ['build'],
        ),
        { trust: await world.trust(['build', 'second'], { threshold: 2 }) },
      ),
    expected: '80 SIG_THRESHOLD',
  },
  {
    input: 'one by the two who are wanted',
    give: async (n) =>
      one(by(n, 'build', 'second'), { trust: await world.trust(['build', 'second'], { threshold: 2 }) }),
    expected: '0 +1',
  },
  {
    input: 'one by a key that counts for another chain',
    give: async (n) => {
      const [build, second] = [await world.key('build'), await world.key('second')]
      return one(by(n, 'build'), {
        trust: await world.trust(['build', 'second'], {
          chains: [
            { id: CHAIN.id, keys: [second.fingerprint] },
            { id: OTHER_CHAIN.id, keys: [build.fingerprint] },
          ],
        }),
      })
    },
    expected: '80 SIG_UNKNOWN_KEY',
  },
  {
    input: 'one by a key that signs receipts',
    give: async (n) => {
      const { fingerprint } = await world.key('second')
      return one(by(n, 'second'), {
        trust: await world.trust(['build', 'second'], { sites: [{ name: SITE, keys: [fingerprint] }] }),
      })
    },
    expected: '80 SIG_UNKNOWN_KEY',
  },
  {
    input: 'the next, where everybody may write to the trust file',
    give: async (n) => {
      const trust = await writeTrust(world.fresh('open'), [await world.key('build')])
      await chmod(trust, 0o666)
      return one(by(n, 'build'), { trust })
    },
    expected: '77 FILE_MODE_UNSAFE',
  },
  {
    input: 'the next, where everybody may write to the directory of the trust file',
    give: async (n) => {
      const trust = await writeTrust(world.fresh('open'), [await world.key('build')])
      await chmod(dirname(trust), 0o777)
      return one(by(n, 'build'), { trust })
    },
    expected: '77 FILE_MODE_UNSAFE',
  },
  {
    input: 'the next, where the trust file is not there',
    give: (n) => one(by(n, 'build'), { trust: world.fresh('nowhere') }),
    expected: '66 INPUT_NOT_FOUND',
  },
  {
    input: 'the next, where the trust file is damaged',
    give: async (n) => {
      const trust = await writeTrust(world.fresh('damaged'), [await world.key('build')])
      await writeFile(trust, 'keys: [')
      return one(by(n, 'build'), { trust })
    },
    expected: '78 CONFIG_INVALID',
  },
  {
    input: 'the next, where a key file is gone',
    give: async (n) => {
      const trust = await writeTrust(world.fresh('damaged'), [await world.key('build')])
      await rm(join(dirname(trust), `${(await world.key('build')).fingerprint}.asc`))
      return one(by(n, 'build'), { trust })
    },
    expected: '78 CONFIG_INVALID',
  },
]

const cells = cellsOf(rows, STANDINGS).filter(({ standing }) => AT.includes(standing as (typeof AT)[number]))

describe('signatures, where the chain has landed signed', () => {
  test('are tried in many cells', () => expect(cells.length).toBeGreaterThanOrEqual(90))

  test.each(cells)('$standing: $input -> $expected', async (cell) => {
    await checkCell(world, cell, signed[cell.index]!, { now: NOW })
  })
})

const unsignedRows: readonly Row[] = [
  { input: 'the next, without a trust file', give: (n) => one(by(n), { trust: 'none' }), expected: '0 +1' },
  {
    input: 'another of the same number, without a trust file',
    give: (n) =>
      one(world.like(Math.max(n, 1), { signers: [], extra: { note: 'another' } }), { trust: 'none' }),
    expected: ['0 +1', ...Array.from({ length: 5 }, () => '81 SEQ_FORK')],
  },
  {
    input: 'a baseline behind a gap, without a trust file',
    give: (n) => one(world.like(n + 3, { signers: [], dependencies: [] }), { trust: 'none' }),
    expected: ['0 +3', ...Array.from({ length: 5 }, () => '81 SEQ_GAP')],
  },
  { input: 'the first signed one, with a trust file', give: (n) => one(by(n, 'build')), expected: '0 +1' },
  { input: 'an unsigned one, with a trust file', give: (n) => one(by(n)), expected: '80 SIG_MISSING' },
]

const unsignedCells = cellsOf(unsignedRows, STANDINGS).filter(({ standing }) =>
  AT.includes(standing as (typeof AT)[number]),
)

describe('signatures, where the chain has landed unsigned', () => {
  test.each(unsignedCells)('$standing: $input -> $expected', async (cell) => {
    await checkCell(world, cell, unsigned[cell.index]!, { now: NOW })
  })

  test('a chain that has landed signed once is never again taken unsigned', async () => {
    const far = await cloneFar(unsigned[2]!.far, world.fresh('far'))
    const trust = ['--trust', await world.trust(['build'])]
    const [six, seven] = [await world.set([await world.like(6)]), await world.set([await world.like(7)])]
    const first = await unpack(far, six.volumes, { flags: trust, now: NOW })
    expect(first.documents).toMatchObject([{ result: { changed: true, signed: true } }])
    expect((await stateOf(far))?.signed).toBe(true)
    expect(await unpack(far, seven.volumes, { now: NOW })).toMatchObject({
      exit: 80,
      errors: [{ code: 'SIG_MISSING' }],
    })
    expect(await unpack(far, seven.volumes, { flags: trust, now: NOW })).toMatchObject({ exit: 0 })
  })

  test('what a scan program refuses is not said to wait for volumes, and is in the audit log', async () => {
    const far = await cloneFar(unsigned[2]!.far, world.fresh('far'))
    const { volumes } = await world.set([await world.like(6)])
    const flags = ['--scan', '/bin/false']
    expect(await unpack(far, volumes, { flags, now: NOW })).toMatchObject({
      exit: 80,
      errors: [{ code: 'SCAN_REFUSED' }],
    })
    const before = unsigned[2]!.far
    expect(await published(far)).toEqual(await published(before))
    expect((await auditOf(far)).slice((await auditOf(before)).length)).toMatchObject([
      { action: 'land', outcome: 'refused', code: 'SCAN_REFUSED' },
    ])
  })

  test('one chain that is refused keeps back the others of its set', async () => {
    const far = await cloneFar(unsigned[0]!.far, world.fresh('far'))
    const chain = { id: OTHER_CHAIN.id, name: 'second' }
    const other = await world.like(1, { signers: [], extra: { chain } })
    const directory = world.fresh('two-chains')
    await mkdir(directory)
    const both = await twoChains(directory, await world.like(1), other)
    const flags = ['--trust', await world.trust(['build'])]
    expect(await unpack(far, both, { flags, now: NOW })).toMatchObject({
      exit: 80,
      errors: [{ code: 'SIG_MISSING' }],
    })
    expect(await published(far)).toEqual([])
    expect(await unpack(far, both, { now: NOW })).toMatchObject({ exit: 0, errors: [] })
    expect(await published(far)).toEqual(['sample/seq1-sample', 'second/seq1-sample'])
  })
})

/** One volume of one set with two chains, put together from a volume of each. */
async function twoChains(directory: string, one: Shipment, other: Shipment): Promise<readonly string[]> {
  const first = await world.set([one], { volumes: 1 })
  const [second] = await makeVolumes(directory, { shipments: [other] })
  const files = await readFiles(second!)
  const added = JSON.parse(files.get('volume.json')!.toString()) as Volume
  const joined = await forgeAll(world, first, (own) => {
    for (const [path, bytes] of files) if (path !== 'volume.json') own.set(path, bytes)
    edit(own, (volume) => {
      volume.chains.push(...added.chains)
      volume.metadata.push(...added.metadata)
      volume.entries.push(...added.entries)
    })
  })
  return joined.volumes
}
