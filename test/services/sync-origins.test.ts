import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { writeFile } from 'node:fs/promises'
import { startHarbor, startQuay, type FakeHarbor, type FakeQuay } from '@carryall/catalog/testing'
import {
  BASIC,
  IDENTITY,
  PASSWORD,
  type RunningSinks,
  sampleArtifact,
  sampleImage,
  SCENARIOS,
  type Scenario,
  startSinks,
  TOKEN,
} from '@carryall/oci/testing'
import { startHostileFront, type HostileFront } from '../support/hostile-front.ts'
import { startSyncEnds, type SyncEnds, writeAuth } from '../support/sync-ends.ts'
import { storeImages, tagsIn } from '../support/sync-storage.ts'
import { regSync } from '../support/tools.ts'

const image = sampleImage('a', { layers: [500, 40_000] })
const images = [
  { repository: 'set/a', tag: 'v1', sample: image },
  { repository: 'set/a', tag: 'v2', sample: sampleArtifact('attached', image.descriptor) },
  { repository: 'set/b', tag: 'v1', sample: sampleImage('b') },
]

let ends: SyncEnds
let sinks: RunningSinks
let quay: FakeQuay
let harbor: FakeHarbor
const tally = { scenarios: new Set<string>(), lured: 0, trusted: 0 }
let runs = 0

beforeAll(async () => {
  ends = await startSyncEnds()
  sinks = await startSinks()
  quay = await startQuay()
  harbor = await startHarbor({ projects: { set: {} } })
  for (const { storage } of [ends.source.registry, quay.store, harbor.store])
    await storeImages(storage, images)
  return async () => {
    for (const one of [ends, sinks, quay, harbor]) await one[Symbol.asyncDispose]()
  }
})
beforeEach(() => void sinks.told.splice(0))

/** Runs with one hostile end, whose credentials are in the file; gives the exit code. */
async function run(operands: readonly string[], env: Record<string, string> = {}): Promise<number> {
  const flags = ['--retry-times', '0', '--authfile', ends.scratch.at('auth.json')]
  return (await regSync([...operands, ...flags], { env })).exit
}

function expectNoWord(name: string, front: HostileFront, secrets: readonly string[]): void {
  const told = JSON.stringify(sinks.told.map((seen) => ({ ...seen, body: seen.body.toString() })))
  for (const secret of [...secrets, 'authorization', 'private-token', 'cookie'])
    expect(told).not.toContain(secret)
  tally.lured += front.lured > 0 ? 1 : 0
  tally.trusted += front.trusted > 0 ? 1 : 0
  tally.scenarios.add(name)
}

/** Whatever was copied is right; where all is said to be well, all is there. */
async function expectRight(below: string, exit: number): Promise<void> {
  const tags = await tagsIn(ends.destination.registry.storage, below)
  const right = Object.fromEntries(
    images.map(({ repository, tag, sample }) => [
      `${repository.replace('set', below)}:${tag}`,
      sample.manifest.digest,
    ]),
  )
  const named = Object.entries(tags).filter(([name]) => !name.includes(':sha256-'))
  expect(right).toMatchObject(Object.fromEntries(named))
  if (exit === 0) expect(named).toHaveLength(images.length)
}

describe.each(['source', 'destination'] as const)('a hostile %s', (side) => {
  test.each(SCENARIOS)('$name', async ({ name, lure, login }: Scenario) => {
    const target = ends[side].registry.url
    const guards = login === 'bearer' ? 'bearer' : 'basic'
    await using front = await startHostileFront(target, { lure, sinks: sinks.at, guards })
    const entry = login === 'identity' ? { identitytoken: IDENTITY } : { auth: BASIC }
    await writeFile(ends.scratch.at('auth.json'), JSON.stringify({ auths: { [front.host]: entry } }), {
      mode: 0o600,
    })
    const below = `run-${++runs}`
    const hosts = {
      source: ends.source.registry.host,
      destination: ends.destination.registry.host,
      [side]: front.host,
    }
    const exit = await run([`docker://${hosts.source}/set`, `docker://${hosts.destination}/${below}`])
    expectNoWord(name, front, [PASSWORD, IDENTITY, TOKEN, BASIC])
    await expectRight(below, exit)
  })
})

const away =
  (path: RegExp, to: (at: RunningSinks['at'], own: string) => string): Scenario['lure'] =>
  (seen, at, own) =>
    path.test(seen.url) ? { status: 307, headers: { location: to(at, own) } } : undefined

const LISTS = { Quay: /^\/api\/v1\/repository\?/, Harbor: /^\/api\/v2\.0\/projects/ }
const TAGS = { Quay: /^\/api\/v1\/repository\/.*\/tag/, Harbor: /^\/api\/v2\.0\/.*\/artifacts/ }

const luredLists = (['Quay', 'Harbor'] as const).flatMap((api) => [
  ...(['host', 'port', 'name', 'six'] as const).map((sink) => ({
    api,
    name: `the repositories are redirected to another ${sink}`,
    lure: away(LISTS[api], (at) => `${at[sink]}/stolen`),
  })),
  { api, name: 'the tags are redirected to another host', lure: away(TAGS[api], ({ host }) => host) },
  {
    api,
    name: 'the repositories are redirected with a user',
    lure: away(LISTS[api], ({ host }, own) => host.replace('http://', `${own}@`)),
  },
  {
    api,
    name: 'the repositories are redirected with backslashes',
    lure: away(LISTS[api], ({ host }) => host.replace('http://', '\\\\')),
  },
  {
    api,
    name: 'the repositories are redirected to a metadata address',
    lure: away(LISTS[api], () => 'http://169.254.169.254/latest'),
  },
  {
    api,
    name: 'the tags are redirected at home, then away',
    lure: ((seen, at, own) =>
      away(TAGS[api], () => '/elsewhere')(seen, at, own) ??
      away(/elsewhere/, ({ port }) => port)(seen, at, own)) as Scenario['lure'],
  },
  { api, name: 'everything is redirected', lure: away(/./, ({ host }) => host) },
])

describe.each(luredLists)('a hostile $api: $name', ({ api, name, lure }) => {
  test.each(['source', 'destination'] as const)('as the %s', async (side) => {
    const fake = api === 'Quay' ? quay : harbor
    const account = api === 'Quay' ? quay.robot : harbor.robot
    await using front = await startHostileFront(fake.url, { lure, sinks: sinks.at })
    await writeAuth(ends.scratch.at('auth.json'), { [front.host]: account })
    const { registry } = ends[side === 'source' ? 'destination' : 'source']
    const below = `run-${++runs}`
    const operands =
      side === 'source'
        ? [`docker://${front.host}/set`, `docker://${registry.host}/${below}`]
        : [`docker://${registry.host}/set`, `docker://${front.host}/set`]
    const env =
      api === 'Quay' ? { [`CARRYALL_${side === 'source' ? 'SRC' : 'DEST'}_API_TOKEN`]: quay.apiToken } : {}
    const named = [`--${side === 'source' ? 'src' : 'dest'}-api`, api.toLowerCase()]
    const exit = await run([...operands, ...named], env)
    expectNoWord(`${api}: ${name}`, front, [
      account.password,
      btoa(`${account.username}:${account.password}`),
      quay.apiToken,
    ])
    expect(exit).not.toBe(0)
    if (side === 'source') await expectRight(below, exit)
  })
})

test('they are enough, they lured, and who was asked at home was told', () => {
  expect(tally.scenarios.size).toBeGreaterThanOrEqual(60)
  expect(tally.lured).toBeGreaterThan(100)
  expect(tally.trusted).toBeGreaterThan(80)
})
