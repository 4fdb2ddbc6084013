import { existsSync } from 'node:fs'
import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type DockerRegistry, startDockerRegistry } from '../../shared/oci/src/testing/docker-registry.ts'
import { type Contest, PEAK_MEGABYTES, type Side } from './contest.ts'
import { dataSets, type SetName } from './data-set.ts'
import { delayingProxy } from './delaying-proxy.ts'
import { measured } from './measured.ts'
import type { Stage } from './stage.ts'
import { watchRegistry } from './watch-registry.ts'

const LATENCY_MS = 20
const FIRST = { S: 0.45, L: 0.9 }
/** Against the others that copy registry to registry, where they are installed. */
const FIRST_OTHERS = { S: 0.75, L: 0.9 }
const CPU_SECONDS = { S: 1.2, L: 2.4 }
const FIRST_REQUESTS = 2200
const REQUESTS_EACH = 2

/** `reg-sync` into an empty registry against `skopeo sync` of the same images. */
export async function firstSync(stage: Stage, set: SetName): Promise<Contest> {
  return {
    letter: 'j',
    title: `first sync, ${set}`,
    own: await side(stage, set, 'reg-sync', ownCommand),
    peer: await side(stage, set, 'skopeo sync', skopeoCommand),
    goal: FIRST[set],
    cpuGoal: CPU_SECONDS[set],
    memoryGoal: PEAK_MEGABYTES,
    ...(set === 'S' ? { requestsGoal: FIRST_REQUESTS } : {}),
  }
}

/** The same against crane and oras, as far as they are on the PATH. */
export function otherSyncs(set: SetName): readonly ((stage: Stage) => Promise<Contest>)[] {
  return [
    ['crane', 'crane cp -a', craneCommand],
    ['oras', 'oras cp -r', orasCommand],
  ]
    .filter(([program]) => isInstalled(program as string))
    .map(([, name, command]) => async (stage: Stage) => ({
      letter: 'j' as const,
      title: `first sync, ${set}`,
      own: await side(stage, set, 'reg-sync', ownCommand),
      peer: await side(stage, set, name as string, command as Command),
      goal: FIRST_OTHERS[set],
    }))
}

/** A first sync over TLS on both sides, for information. */
export async function tlsSync(stage: Stage, set: SetName): Promise<Contest> {
  return {
    letter: 'f',
    title: `TLS, first sync, ${set}`,
    own: await side(stage, set, 'reg-sync', ownCommand, { tls: true }),
    peer: await side(stage, set, 'skopeo sync', skopeoCommand, { tls: true }),
  }
}

/** The same once more: nothing is to be done. */
export async function secondSync(stage: Stage, set: SetName): Promise<Contest> {
  return {
    letter: 'k',
    title: `nothing to do, ${set}`,
    own: await side(stage, set, 'reg-sync', ownCommand, { filled: true }),
    peer: await side(stage, set, 'skopeo sync', skopeoCommand, { filled: true }),
    goal: 0.3,
    memoryGoal: PEAK_MEGABYTES,
    requestsGoal: REQUESTS_EACH * dataSets[set].images.length,
  }
}

/** A first sync to a registry that is 20 ms away. */
export async function distantSync(stage: Stage, set: SetName): Promise<Contest> {
  return {
    letter: 'l',
    title: `first sync, ${LATENCY_MS} ms away, ${set}`,
    own: await side(stage, set, 'reg-sync', ownCommand, { latency: LATENCY_MS }),
    peer: await side(stage, set, 'skopeo sync', skopeoCommand, { latency: LATENCY_MS }),
    goal: 0.25,
    memoryGoal: PEAK_MEGABYTES,
  }
}

interface Ends {
  readonly source: DockerRegistry
  readonly destination: DockerRegistry
  /** Where the destination is reached. */
  readonly host: string
  readonly set: SetName
}

type Command = (stage: Stage, ends: Ends) => Promise<readonly string[]>

interface Terms {
  /** The destination has it all already. */
  readonly filled?: boolean
  /** Milliseconds that each answer of the destination takes longer. */
  readonly latency?: number
  readonly tls?: boolean
}

async function side(
  stage: Stage,
  set: SetName,
  name: string,
  command: Command,
  { filled = false, latency = 0, tls = false }: Terms = {},
): Promise<Side> {
  const source = await stage.source(set, { tls })
  return {
    name,
    run: async () => {
      const storage = await stage.fresh('output')
      await stage.fresh('home')
      await using destination = await startDockerRegistry({ storage, tls })
      await using proxy = await delayingProxy(destination.host, latency)
      const host = latency === 0 ? destination.host : proxy.host
      const words = await command(stage, { source, destination, host, set })
      // Each tool has names of its own at the destination.
      if (filled) await measured(words, stage)
      const [from, to] = [await watchRegistry(source), await watchRegistry(destination)]
      return { ...(await measured(words, stage)), source: await from(), destination: await to() }
    },
  }
}

/** The same tags that the peers are given: the registry holds more than one version of a set. */
async function ownCommand(
  stage: Stage,
  { source, destination, host, set }: Ends,
): Promise<readonly string[]> {
  const images = dataSets[set].images.map(({ repository, tag }) => `${repository}:${tag}`)
  const pair = { source: `docker://${source.host}`, destination: `docker://${host}`, images }
  const file = join(stage.scratch, `own-${set}.json`)
  await writeFile(file, JSON.stringify({ apiVersion: 'carryall/v1', kind: 'SyncConfig', sync: [pair] }))
  const trust = (registry: DockerRegistry, name: string): readonly string[] =>
    registry.certificates === undefined ? [] : [name, registry.certificates.ca]
  return stage.own(
    'reg-sync',
    '-q',
    '--progress',
    'none',
    ...trust(source, '--src-ca-file'),
    ...trust(destination, '--dest-ca-file'),
    '-c',
    file,
  )
}

/** skopeo is given the tags, so that it need not list anything. */
async function skopeoCommand(
  stage: Stage,
  { source, destination, host, set }: Ends,
): Promise<readonly string[]> {
  const images = [...tagsOf(set)].map(([repository, tags]) => `    ${repository}: ${JSON.stringify(tags)}\n`)
  const file = join(stage.scratch, `sync-${set}.yaml`)
  const trusted = async (registry: DockerRegistry, name: string): Promise<string | undefined> => {
    if (registry.certificates === undefined) return undefined
    const directory = await stage.fresh(name)
    await cp(registry.certificates.ca, join(directory, 'ca.crt'))
    return directory
  }
  const [from, to] = [await trusted(source, 'certs-src'), await trusted(destination, 'certs-dest')]
  const tls = from === undefined ? 'tls-verify: false' : `cert-dir: ${from}`
  await writeFile(file, `${source.host}:\n  ${tls}\n  images:\n${images.join('')}`)
  return [
    'skopeo',
    '--insecure-policy',
    'sync',
    '--src',
    'yaml',
    '--dest',
    'docker',
    ...(to === undefined ? ['--dest-tls-verify=false'] : ['--dest-cert-dir', to]),
    '--all',
    file,
    host,
  ]
}

async function craneCommand(stage: Stage, { source, host, set }: Ends): Promise<readonly string[]> {
  const copies = [...tagsOf(set).keys()].map((repository) => [
    'crane',
    'cp',
    '--insecure',
    '-a',
    '-j',
    '8',
    `${source.host}/${repository}`,
    `${host}/${repository}`,
  ])
  return stage.script('crane', copies)
}

async function orasCommand(stage: Stage, { source, host, set }: Ends): Promise<readonly string[]> {
  const names = dataSets[set].images.map(({ repository, tag }) => `${repository}:${tag}`)
  const list = join(stage.scratch, `oras-${set}.txt`)
  await writeFile(list, `${names.join('\n')}\n`)
  const copy = ['oras', 'cp', '-r', '--from-plain-http', '--to-plain-http']
  return ['xargs', '-a', list, '-P', '8', '-I{}', ...copy, `${source.host}/{}`, `${host}/{}`]
}

function tagsOf(set: SetName): ReadonlyMap<string, readonly string[]> {
  const tags = new Map<string, readonly string[]>()
  for (const { repository, tag } of dataSets[set].images)
    tags.set(repository, [...(tags.get(repository) ?? []), tag])
  return tags
}

function isInstalled(program: string): boolean {
  return (process.env.PATH ?? '').split(':').some((directory) => existsSync(join(directory, program)))
}
