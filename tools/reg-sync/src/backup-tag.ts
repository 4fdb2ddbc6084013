import { createHash } from 'node:crypto'
import { CarryallError } from '@carryall/errors'
import { isTag } from '@carryall/schemas'

const MAX_TAG = 128
const MARK_HEX = 8

export interface Moved {
  /** The tag that is to be moved. */
  readonly tag: string
  readonly time: Date
  /** What it names until then. */
  readonly digest: string
}

/**
 * The tag that keeps what a moved tag named: `{tag}`, `{time}` (YYYYMMDDHHMMSS, UTC) and `{digest}` (12 hex digits) of the template
 * are put in. A tag that leaves too little room is cut, and told apart by hex digits of its own. Throws CONFIG_INVALID for a
 * template whose tags are not distinct: it needs `{digest}`, or both `{tag}` and `{time}`; or that gives no tag.
 */
export function backupTag(template: string, { tag, time, digest }: Moved): string {
  const has = (name: string): boolean => template.includes(`{${name}}`)
  if (!has('digest') && !(has('tag') && has('time')))
    throw invalid(template, 'two tags could get one name', 'Put {digest} in, or both {tag} and {time}')
  const filled = template
    .replaceAll('{time}', time.toISOString().replaceAll(/\D/g, '').slice(0, 14))
    .replaceAll('{digest}', digest.slice('sha256:'.length).slice(0, 12))
  const backup = filled.replaceAll('{tag}', fitted(tag, filled))
  if (isTag(backup)) return backup
  throw invalid(
    template,
    `"${backup}" is no tag`,
    'Only {tag}, {time} and {digest} are put in; the rest has to be letters, digits, "_", "." and "-"',
  )
}

/** Proves that a template makes tags. Throws CONFIG_INVALID as `backupTag` does. */
export function checkTemplate(template: string): void {
  backupTag(template, { tag: 'latest', time: new Date(0), digest: `sha256:${'0'.repeat(64)}` })
}

/** True for a tag that this template may have made: it names what was there before, and is no tag of the source. */
export function isBackupTag(template: string, tag: string): boolean {
  const escaped = template.replaceAll(/[\\^$.*+?()[\]|]/g, String.raw`\$&`)
  const pattern = escaped
    .replaceAll('{tag}', '.+')
    .replaceAll('{time}', String.raw`\d{14}`)
    .replaceAll('{digest}', '[0-9a-f]{12}')
  return new RegExp(`^${pattern}$`).test(tag)
}

/** As much of the tag as there is room for. */
function fitted(tag: string, filled: string): string {
  const parts = filled.split('{tag}')
  const room = Math.floor((MAX_TAG - parts.join('').length) / (parts.length - 1))
  if (tag.length <= room) return tag
  const mark = createHash('sha256').update(tag).digest('hex').slice(0, MARK_HEX)
  return `${tag.slice(0, Math.max(0, room - MARK_HEX - 1))}-${mark}`
}

function invalid(template: string, why: string, hint: string): CarryallError {
  return new CarryallError('CONFIG_INVALID', `Cannot use "${template}" for backup tags: ${why}`, {
    actual: template,
    hint,
  })
}
