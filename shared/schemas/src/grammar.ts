import { CarryallError } from '@carryall/errors'

const DIGEST = /^sha256:[0-9a-f]{64}$/
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const TAG = /^\w[\w.-]{0,127}$/
const HOST = /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i
const MAX_REPOSITORY = 255

/** True for `sha256:` and 64 lower-case hex digits: the only digests that carryall writes. */
export function isDigest(text: string): boolean {
  return DIGEST.test(text)
}

/** True for a repository name by the distribution-spec grammar, at most 255 characters. */
export function isRepository(text: string): boolean {
  return text.length <= MAX_REPOSITORY && REPOSITORY.test(text)
}

/** True for a tag by the distribution-spec grammar. */
export function isTag(text: string): boolean {
  return TAG.test(text)
}

/** True for `host` or `host:port`, IPv6 in brackets. */
export function isHost(text: string): boolean {
  return HOST.test(text)
}

/** True for a relative path that stays inside: no empty, `.` or `..` component, no backslash or control character. */
export function isSafePath(path: string): boolean {
  if (path.length === 0 || Buffer.byteLength(path) > 4096) return false
  // eslint-disable-next-line no-control-regex -- control characters are what is refused
  if (/[\u0000-\u001f\u007f\\]/.test(path)) return false
  return path.split('/').every((part) => part !== '' && part !== '.' && part !== '..' && Buffer.byteLength(part) <= 255)
}

/** Gives back a path that `isSafePath` accepts; throws PATH_UNSAFE naming where it was found. */
export function safePath(path: string, where: string): string {
  if (isSafePath(path)) return path
  throw new CarryallError('PATH_UNSAFE', `Refused path ${JSON.stringify(path.slice(0, 200))} in ${where}`, {
    hint: 'Only relative paths without "..", empty parts, backslashes or control characters are used; the source of this file is not to be trusted',
    subject: { kind: 'file', name: path.slice(0, 200) },
  })
}
