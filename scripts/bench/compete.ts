import type { Contest, Sample, Side } from './contest.ts'
import { type Spread, spread } from './spread.ts'

export interface SideResult {
  readonly name: string
  readonly wallSeconds: Spread
  readonly cpuSeconds: Spread
  readonly peakMegabytes: Spread
  readonly runs: readonly Sample[]
}

export interface Result {
  readonly letter: string
  readonly title: string
  readonly own: SideResult
  readonly peer: SideResult
  /** Of the medians of wall time, own to peer: lower is better. */
  readonly ratio: number
  readonly cpuRatio: number
  readonly goal?: number
  readonly differenceGoal?: number
  readonly cpuGoal?: number
  readonly requestsGoal?: number
  readonly memoryGoal?: number
  /** Absent where there is no goal. */
  readonly met?: boolean
}

/** One run of each side that does not count, then `rounds` of both in turn; who begins changes with every round. */
export async function compete(
  contest: Contest,
  rounds: number,
  onRun: (text: string) => void,
): Promise<Result> {
  const samples = new Map<Side, Sample[]>([
    [contest.own, []],
    [contest.peer, []],
  ])
  for (let round = 0; round <= rounds; round += 1) {
    const order = round % 2 === 0 ? [contest.own, contest.peer] : [contest.peer, contest.own]
    for (const side of order) {
      onRun(
        `${contest.letter} ${contest.title}, ${round === 0 ? 'warm-up' : `round ${round} of ${rounds}`}: ${side.name}`,
      )
      const sample = await side.run()
      if (round > 0) samples.get(side)!.push(sample)
    }
  }
  return judge(contest, summary(contest.own, samples), summary(contest.peer, samples))
}

function summary(side: Side, samples: ReadonlyMap<Side, readonly Sample[]>): SideResult {
  const runs = samples.get(side)!
  return {
    name: side.name,
    wallSeconds: spread(runs.map((run) => run.wallSeconds)),
    cpuSeconds: spread(runs.map((run) => run.cpuSeconds)),
    peakMegabytes: spread(runs.map((run) => run.peakMegabytes)),
    runs,
  }
}

function judge(
  { letter, title, goal, differenceGoal, cpuGoal, requestsGoal, memoryGoal }: Contest,
  own: SideResult,
  peer: SideResult,
): Result {
  const ratio = own.wallSeconds.median / peer.wallSeconds.median
  const goals = {
    ...(goal === undefined ? {} : { goal }),
    ...(differenceGoal === undefined ? {} : { differenceGoal }),
    ...(cpuGoal === undefined ? {} : { cpuGoal }),
    ...(requestsGoal === undefined ? {} : { requestsGoal }),
    ...(memoryGoal === undefined ? {} : { memoryGoal }),
  }
  const beyond = own.wallSeconds.median - peer.wallSeconds.median
  const met =
    (goal === undefined || ratio <= goal) &&
    (differenceGoal === undefined || beyond <= differenceGoal) &&
    (cpuGoal === undefined || own.cpuSeconds.median <= cpuGoal) &&
    (requestsGoal === undefined || own.runs.every((run) => requestsTo(run) <= requestsGoal)) &&
    (memoryGoal === undefined || own.peakMegabytes.max <= memoryGoal)
  return {
    letter,
    title,
    own,
    peer,
    ratio,
    cpuRatio: own.cpuSeconds.median / peer.cpuSeconds.median,
    ...goals,
    ...(Object.keys(goals).length > 0 ? { met } : {}),
  }
}

function requestsTo({ destination }: Sample): number {
  return Object.values(destination?.requests ?? {}).reduce((sum, count) => sum + count, 0)
}
