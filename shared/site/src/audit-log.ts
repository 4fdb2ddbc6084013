import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { acquireLock, appendLine, ensureDirectory, lastLine } from '@carryall/durable'
import { run } from '@carryall/exec'
import { API_VERSION, toJson, type AuditEntry } from '@carryall/schemas'

/** An entry is appended in moments. */
const WAIT_SECONDS = 30
const LOGGER_MS = 5000

export interface AuditOptions {
  /** Asked under the lock, so that entries are in the order of time. */
  readonly now: () => Date
  /** Seconds to wait for another writer; 30 if absent. */
  readonly waitSeconds?: number
  /** Leave it out where an end by a signal is what is to be recorded. */
  readonly signal?: AbortSignal
}

/** The log of a state directory. */
export function auditFile(stateDir: string): string {
  return join(stateDir, 'audit.ndjson')
}

/**
 * Proves that the log can be written, before a target is: makes it where there is none. Throws as `commitFile` does.
 */
export async function openAuditLog(stateDir: string): Promise<void> {
  await ensureDirectory(stateDir)
  await lastLine(auditFile(stateDir), { make: true })
}

/**
 * Appends an entry to the audit log, durably: one line that names the digest of the line before it. What a killed run left
 * of a last line is dropped, and the entry says so. The new head, which it gives, is also sent to the system's journal
 * where there is one. Throws LOCK_HELD, and as `commitFile` does.
 */
export async function recordAudit(
  stateDir: string,
  entry: Omit<AuditEntry, 'apiVersion' | 'kind' | 'critical' | 'previous' | 'time'>,
  options: AuditOptions,
): Promise<string> {
  await ensureDirectory(stateDir)
  const { tool, user, action, target, subject, outcome, code, overrides, note } = entry
  const head = await underLock(stateDir, tool.name, options, () =>
    appendLine(auditFile(stateDir), ({ previous, dropped }) =>
      toJson({
        apiVersion: API_VERSION,
        kind: 'AuditEntry',
        previous: previous === undefined ? undefined : digest(previous),
        time: options.now().toISOString(),
        tool,
        user,
        action,
        target,
        subject,
        outcome,
        code,
        overrides,
        note: noteOf(note, dropped),
      } satisfies AuditEntry),
    ),
  )
  await toJournal(`${action} ${outcome}, audit head ${digest(head)}`)
  return digest(head)
}

/** Digest of the newest entry; undefined where there is none. */
export async function auditHead(stateDir: string): Promise<string | undefined> {
  const line = await lastLine(auditFile(stateDir))
  return line === undefined ? undefined : digest(line)
}

async function underLock<T>(
  stateDir: string,
  holder: string,
  { waitSeconds = WAIT_SECONDS, signal }: AuditOptions,
  work: () => Promise<T>,
): Promise<T> {
  await using _lock = await acquireLock(join(stateDir, 'audit.lock'), {
    holder,
    waitSeconds,
    ...(signal === undefined ? {} : { signal }),
  })
  return await work()
}

function noteOf(note: string | undefined, dropped: number): string | undefined {
  const cut = dropped === 0 ? [] : [`dropped ${dropped} bytes of a line that was cut while it was written`]
  const all = [...(note === undefined ? [] : [note]), ...cut]
  return all.length === 0 ? undefined : all.join('; ')
}

function digest(line: Buffer): string {
  return `sha256:${createHash('sha256').update(line).digest('hex')}`
}

/** A second place, out of reach of whoever can write the first; what has no journal goes on without. */
async function toJournal(text: string): Promise<void> {
  await run('logger', ['--tag', 'carryall', '--priority', 'authpriv.notice', '--', text], {
    package: 'bsdutils',
    timeoutMs: LOGGER_MS,
  }).catch(() => undefined)
}
