import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { errorObject, fromSystemError, type ErrorCode } from '@carryall/errors'
import {
  API_VERSION,
  auditEntryKind,
  parseJsonTexts,
  parseKind,
  type AuditEntry,
  type AuditReport,
} from '@carryall/schemas'
import { linesOf, type Line } from './lines-of.ts'

const MAX_FAULTS = 1000

export interface CheckAuditOptions {
  /** Digest of a line that has to be in it, such as the `audit_head` of a receipt. */
  readonly expectHead?: string
  readonly signal?: AbortSignal
}

/**
 * Reads an audit log from its first line to its last, in constant memory, and sums it up: whether every line is an entry
 * and names the digest of the one before, where time goes back, who did what, and every flag that weakened a check. What is
 * wrong is reported, not thrown. A last line without its end is what a killed run leaves, and no fault. Throws
 * INPUT_NOT_FOUND, PERMISSION_DENIED, IO_FAILED.
 */
export async function checkAuditLog(file: string, options: CheckAuditOptions = {}): Promise<AuditReport> {
  const { expectHead, signal } = options
  const found = new Findings()
  let head: string | undefined
  let cut = 0
  let expected = false
  try {
    await using handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW)
    for await (const line of linesOf(handle, signal === undefined ? {} : { signal })) {
      if (!line.whole) {
        cut = line.size
        continue
      }
      found.line(line, head, file)
      head = line.digest
      expected ||= head === expectHead
    }
  } catch (error) {
    throw fromSystemError(error, `read the audit log ${file}`, { subject: { kind: 'file', name: file } })
  }
  return {
    apiVersion: API_VERSION,
    kind: 'AuditReport',
    log: file,
    entries: found.lines,
    ...(found.first === undefined ? {} : { first: found.first }),
    ...(found.last === undefined ? {} : { last: found.last }),
    ...(head === undefined ? {} : { head }),
    intact: found.intact,
    ...(cut === 0 ? {} : { cut_bytes: cut }),
    ...(expectHead === undefined ? {} : { expected_head: expected ? 'found' : 'absent' }),
    faults: found.faults,
    actions: counted(found.actions),
    users: counted(found.users),
    outcomes: counted(found.outcomes),
    overrides: found.overrides,
  }
}

class Findings {
  lines = 0
  intact = true
  first: string | undefined
  last: string | undefined
  readonly faults: AuditReport['faults'] = []
  readonly overrides: AuditReport['overrides'] = []
  readonly actions = new Map<string, number>()
  readonly users = new Map<string, number>()
  readonly outcomes = new Map<string, number>()

  line(line: Line, before: string | undefined, file: string): void {
    this.lines++
    const entry = this.#parse(line, `${file}:${this.lines}`)
    if (entry === undefined) return
    this.#link(entry, before)
    this.#time(entry.time)
    count(this.actions, entry.action)
    count(this.users, whoOf(entry))
    count(this.outcomes, entry.outcome)
    if (entry.overrides.length > 0) {
      const { time, action, overrides: flags } = entry
      this.overrides.push({ line: this.lines, time, user: whoOf(entry), action, flags })
    }
  }

  #parse({ text }: Line, where: string): AuditEntry | undefined {
    if (text === undefined) return this.#broken('The line is too long to be an entry')
    try {
      return parseKind(auditEntryKind, parseJsonTexts(text, where)[0], where)
    } catch (error) {
      return this.#broken(errorObject(error).message)
    }
  }

  #link({ previous }: AuditEntry, before: string | undefined): void {
    if (previous === before) return
    if (before === undefined) this.#broken('The first line continues one that is not here')
    else if (previous === undefined) this.#broken('The line continues none; lines were put before it')
    else
      this.#broken('The line does not continue the one before it: that one was altered, or lines are missing')
  }

  #time(time: string): void {
    if (this.last !== undefined && new Date(time) < new Date(this.last))
      this.#fault('SEQ_CLOCK', `${time} comes after ${this.last}`)
    this.first ??= time
    this.last = time
  }

  #broken(message: string): undefined {
    this.intact = false
    this.#fault('AUDIT_BROKEN', message)
  }

  #fault(code: ErrorCode, message: string): void {
    if (this.faults.length < MAX_FAULTS) this.faults.push({ line: this.lines, code, message })
  }
}

/** Who logged in, and as whom the process ran where that is another. */
function whoOf({ user: { uid, name = `uid ${uid}`, login } }: AuditEntry): string {
  return login === undefined || login === name ? name : `${login} as ${name}`
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

function counted(counts: ReadonlyMap<string, number>): AuditReport['actions'] {
  return [...counts].map(([name, entries]) => ({ name, entries })).sort((a, b) => (a.name < b.name ? -1 : 1))
}
