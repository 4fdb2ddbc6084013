import { writeFile } from 'node:fs/promises'
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
const CPU_SECONDS = { S: 1.2, L: 2.4 }
const FIRST_REQUESTS = 2200
const REQUESTS_EACH = 2

/** `reg-sync` of a whole registry into an empty one against `skopeo sync` of the same images. */
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
  /** Where the destination is reached. */
  readonly host: string
  readonly set: SetName
}

interface Terms {
  /** The destination has it all already. */
  readonly filled?: boolean
  /** Milliseconds that each answer of the destination takes longer. */
  readonly latency?: number
}

async function side(
  stage: Stage,
  set: SetName,
  name: string,
  command: (stage: Stage, ends: Ends) => Promise<readonly string[]>,
  { filled = false, latency = 0 }: Terms = {},
): Promise<Side> {
  const source = await stage.source(set)
  return {
    name,
    run: async () => {
      const storage = await stage.fresh('output')
      await stage.fresh('home')
      await using destination = await startDockerRegistry({ storage })
      await using proxy = await delayingProxy(destination.host, latency)
      const host = latency === 0 ? destination.host : proxy.host
      const words = await command(stage, { source, host, set })
      // Each tool has names of its own at the destination.
      if (filled) await measured(words, stage)
      const [from, to] = [await watchRegistry(source), await watchRegistry(destination)]
      return { ...(await measured(words, stage)), source: await from(), destination: await to() }
    },
  }
}

async function ownCommand(stage: Stage, { source, host }: Ends): Promise<readonly string[]> {
  return stage.own('reg-sync', '-q', '--progress', 'none', `docker://${source.host}`, `docker://${host}`)
}

/** skopeo is given the tags, so that it need not list anything. */
async function skopeoCommand(stage: Stage, { source, host, set }: Ends): Promise<readonly string[]> {
  const tags = new Map<string, string[]>()
  for (const { repository, tag } of dataSets[set].images)
    tags.set(repository, [...(tags.get(repository) ?? []), tag])
  const images = [...tags].map(([repository, names]) => `    ${repository}: ${JSON.stringify(names)}\n`)
  const file = join(stage.scratch, `sync-${set}.yaml`)
  await writeFile(file, `${source.host}:\n  tls-verify: false\n  images:\n${images.join('')}`)
  return [
    'skopeo',
    '--insecure-policy',
    'sync',
    '--src',
    'yaml',
    '--dest',
    'docker',
    '--dest-tls-verify=false',
    '--all',
    file,
    host,
  ]
}
