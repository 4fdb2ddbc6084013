import type { Usage } from './measured.ts'
import type { Served } from './watch-registry.ts'

/** One run of one side. */
export interface Sample extends Usage {
  readonly source?: Served
  readonly destination?: Served
}

export interface Side {
  readonly name: string
  /** Empties what it writes to, runs, and measures nothing but the run. */
  readonly run: () => Promise<Sample>
}

export type Letter = 'a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'g' | 'h' | 'i' | 'j' | 'k' | 'l'

/** Two ways to do the same work, of which the first is ours. */
export interface Contest {
  readonly letter: Letter
  readonly title: string
  readonly own: Side
  readonly peer: Side
  /** The ratio of wall times, own to peer, that is to be reached; absent where it is for information. */
  readonly goal?: number
  /** Seconds that ours may take beyond the peer, by the medians. */
  readonly differenceGoal?: number
  /** Seconds of CPU that ours may take. */
  readonly cpuGoal?: number
  /** Requests that ours may send to the destination. */
  readonly requestsGoal?: number
  /** Peak memory that ours may take, in 10^6 bytes. */
  readonly memoryGoal?: number
}

/** The limit for every tool that moves content. */
export const PEAK_MEGABYTES = 160
