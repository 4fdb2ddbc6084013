import { formatBytes, formatSeconds } from '@carryall/cli'
import type { SyncedImage, SyncReport } from '@carryall/schemas'
import type { EventLevel } from './event-log.ts'
import { logCode, type Doing } from './log-code.ts'
import { progressLine, type Progressed } from './repository-progress.ts'

/** A line of the event log. */
export interface LogEvent {
  readonly level: EventLevel
  /** Of the families that operators grep for: STARTUP, LOGIN_, API_, DISCOVERY_, IMAGE_, SYNC_, PROGRESS_UPDATE, FINAL_REPORT. */
  readonly code: string
  readonly what: string
  readonly message: string
}

export function startupEvent(tool: SyncReport['tool'], pairs: SyncReport['pairs']): LogEvent {
  const between = pairs.map(({ source, destination }) => `${source} -> ${destination}`).join(', ')
  const message = `${tool.name} ${tool.version} starting up, times are UTC: ${between}`
  return event('INFO', 'STARTUP', `${tool.name} Startup`, message)
}

/** A registry that has taken our credentials. */
export function loginEvent(registry: string): LogEvent {
  return event('INFO', 'LOGIN_OK', 'Registry Login', `Logged in to ${registry}`)
}

export function discoveryEvent(source: string, repositories: number, images: number): LogEvent {
  const message = `Found ${repositories} repositories with ${images} images in ${source}`
  return event('INFO', 'DISCOVERY_COMPLETE', 'Repository Discovery', message)
}

/** A failure that is not about one image. */
export function failureEvent(error: NonNullable<SyncedImage['error']>, doing?: Doing): LogEvent {
  const code = logCode(error.code, doing)
  const about = doing === 'listing' ? 'Repository Discovery' : 'Registry Sync'
  return event('ERROR', code, code === 'LOGIN_FAILED' ? 'Registry Login' : about, reason(error))
}

export function progressEvent(progress: Progressed): LogEvent {
  return event('INFO', 'PROGRESS_UPDATE', 'Progress', progressLine(progress))
}

/** The last lines of a run: duration, repositories, images, success rate. */
export function finalReport({ seconds, totals, readiness }: SyncReport): readonly LogEvent[] {
  const { repositories, same, copied, moved, conflicts, deleted, failed: bad, not_tried: left } = totals
  const { success_rate: rate, uploaded_bytes: bytes } = totals
  return [
    `Duration: ${formatSeconds(seconds)}`,
    `Repositories processed: ${repositories}`,
    `Images synced: ${copied + moved}, ${formatBytes(bytes)} sent`,
    `Images skipped: ${same + conflicts}, ${conflicts} of them differ`,
    `Images failed: ${bad + left}, ${left} of them were not tried`,
    ...(deleted === 0 ? [] : [`Images deleted: ${deleted}`]),
    `Success rate: ${rate.toFixed(1)}%`,
    `Ready: ${readiness.ready ? 'yes' : 'no'}, ${readiness.in_sync} of ${readiness.images} images are in sync`,
  ].map((message) => event('INFO', 'FINAL_REPORT', 'Final Report', message))
}

export function event(level: EventLevel, code: string, what: string, message: string): LogEvent {
  return { level, code, what, message }
}

/** An error in a line. */
export function reason({ code, message }: NonNullable<SyncedImage['error']>): string {
  return `${code}: ${message}`
}
