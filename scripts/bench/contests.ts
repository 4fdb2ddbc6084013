import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Contest, type Letter, PEAK_MEGABYTES, type Side } from './contest.ts'
import type { SetName } from './data-set.ts'
import { measured } from './measured.ts'
import { contentOf, ownMirror, ownPush, ownVersions, skopeoPull, skopeoPush } from './sides.ts'
import { NODE, type Stage } from './stage.ts'
import { distantSync, firstSync, otherSyncs, secondSync, tlsSync } from './sync.ts'
import { packing, planning, unpacking } from './transfer.ts'

// One start is too short to be measured alone.
const STARTS = 10
const TO_ARCHIVE = { S: 0.45, L: 0.45 }
const TO_REGISTRY = { S: 0.45, L: 0.55 }

/** A contest that is prepared only when its turn comes. */
export interface Planned {
  readonly letter: Letter
  readonly prepare: (stage: Stage) => Promise<Contest>
}

/** All contests of the sets, in order. */
export function plannedContests(sets: ReadonlySet<SetName>): readonly Planned[] {
  const each = [...sets]
  const large = sets.has('L')
  return [
    ...each.map((set) => planned('a', (stage) => toArchive(stage, set))),
    ...each.map((set) => planned('b', (stage) => toRegistry(stage, set))),
    ...(large ? [planned('c', differential), planned('d', verify)] : []),
    planned('e', (stage) => startUp(stage, '--version', ['--version'])),
    planned('e', async (stage) => startUp(stage, 'show', ['show', await firstSequence(stage)])),
    ...(large
      ? [
          planned('f', async (stage) => untried(await toArchive(stage, 'L', true))),
          planned('f', async (stage) => untried(await toRegistry(stage, 'L', true))),
          planned('g', packing),
          planned('h', unpacking),
        ]
      : []),
    planned('i', planning),
    ...each.map((set) => planned('j', (stage) => firstSync(stage, set))),
    ...each.flatMap((set) => otherSyncs(set).map((prepare) => planned('j', prepare))),
    ...(large ? [planned('f', (stage) => tlsSync(stage, 'L'))] : []),
    ...(sets.has('S')
      ? [planned('k', (stage) => secondSync(stage, 'S')), planned('l', (stage) => distantSync(stage, 'S'))]
      : []),
  ]
}

function planned(letter: Letter, prepare: Planned['prepare']): Planned {
  return { letter, prepare }
}

async function toArchive(stage: Stage, set: SetName, tls = false): Promise<Contest> {
  const [own, peer] = [await ownMirror(stage, set, tls), await skopeoPull(stage, set, tls)]
  return {
    letter: 'a',
    title: `registry to archive, ${set}`,
    own,
    peer,
    goal: TO_ARCHIVE[set],
    memoryGoal: PEAK_MEGABYTES,
  }
}

async function toRegistry(stage: Stage, set: SetName, tls = false): Promise<Contest> {
  const [own, peer] = [await ownPush(stage, set, tls), await skopeoPush(stage, set, tls)]
  return {
    letter: 'b',
    title: `archive to registry, ${set}`,
    own,
    peer,
    goal: TO_REGISTRY[set],
    memoryGoal: PEAK_MEGABYTES,
  }
}

/** The same over TLS, for information. */
function untried({ title, own, peer }: Contest): Contest {
  return { letter: 'f', title: `TLS, ${title}`, own, peer }
}

async function differential(stage: Stage): Promise<Contest> {
  const { full, differential: own } = await ownVersions(stage, 'L')
  return { letter: 'c', title: '5 % new data, L', own, peer: full, goal: 0.1, memoryGoal: PEAK_MEGABYTES }
}

async function verify(stage: Stage): Promise<Contest> {
  const content = await contentOf(stage, 'L')
  const sequence = join(
    content,
    (await readdir(content)).find((name) => name.startsWith('seq1-'))!,
  )
  const files = (await readdir(sequence)).map((name) => join(sequence, name))
  return {
    letter: 'd',
    title: 'verify, L',
    own: side(
      stage,
      'seq-meta verify',
      stage.own('seq-meta', 'verify', '-q', '--progress', 'none', sequence),
    ),
    peer: side(stage, 'openssl dgst', ['openssl', 'dgst', '-sha256', ...files]),
    goal: 1.3,
    memoryGoal: PEAK_MEGABYTES,
  }
}

async function startUp(stage: Stage, what: string, args: readonly string[]): Promise<Contest> {
  return {
    letter: 'e',
    title: `start-up, ${what}`,
    own: await starts(stage, `seq-meta ${what}`, stage.own('seq-meta', ...args)),
    peer: await starts(stage, 'node -e 0', [NODE, '-e', '0']),
    goal: 2.5,
  }
}

/** The directory of the one sequence of set S. */
async function firstSequence(stage: Stage): Promise<string> {
  const content = await contentOf(stage, 'S')
  const [name] = (await readdir(content)).filter((each) => each.startsWith('seq1-'))
  return join(content, name!)
}

function side(stage: Stage, name: string, command: readonly string[]): Side {
  return { name, run: () => measured(command, stage) }
}

async function starts(stage: Stage, name: string, command: readonly string[]): Promise<Side> {
  const many = await stage.script(
    `start ${name}`,
    Array.from({ length: STARTS }, () => command),
  )
  return {
    name,
    run: async () => {
      const { wallSeconds, cpuSeconds, peakMegabytes } = await measured(many, stage)
      return { wallSeconds: wallSeconds / STARTS, cpuSeconds: cpuSeconds / STARTS, peakMegabytes }
    },
  }
}
