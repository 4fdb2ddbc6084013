import { CarryallError } from '@carryall/errors'

/** The only digests that carryall writes. */
export const DIGEST = /^sha256:[0-9a-f]{64}$/
/** distribution-spec: `<name>`; at most `MAX_REPOSITORY` characters. */
export const REPOSITORY =
  /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
export const MAX_REPOSITORY = 255
/** distribution-spec: `<reference>` as a tag. */
export const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const HOST = new RegExp(`^(${LABEL}(?:\\.${LABEL})*|\\[[0-9a-f:.]+\\])(?::[1-9][0-9]{0,4})?$`, 'i')
const MAX_HOST = 255

/** True for `sha256:` and 64 lower-case hex digits. */
export function isDigest(text: string): boolean {
  return DIGEST.test(text)
}

/** True for a repository name by the grammar of the distribution-spec, at most 255 characters. */
export function isRepository(text: string): boolean {
  return text.length <= MAX_REPOSITORY && REPOSITORY.test(text)
}

/** True for a tag by the grammar of the distribution-spec. */
export function isTag(text: string): boolean {
  return TAG.test(text)
}

/** True for `host` or `host:port`, IPv6 in brackets, IPv4 with four decimal parts. */
export function isHost(text: string): boolean {
  const name = text.length <= MAX_HOST ? HOST.exec(text)?.[1] : undefined
  if (name === undefined || !URL.canParse(`http://${text}`)) return false
  // `0x7f.1` and `2130706433` are other names of 127.0.0.1: two spellings of one origin, so none of them.
  return name.startsWith('[') || new URL(`http://${name}`).hostname === name.toLowerCase()
}

/** True for a relative path that stays inside: no empty, `.` or `..` component, no backslash or control character. */
export function isSafePath(path: string): boolean {
  if (path.length === 0 || Buffer.byteLength(path) > 4096 || !path.isWellFormed()) return false
  // eslint-disable-next-line no-control-regex -- control characters are what is refused
  if (/[\u0000-\u001f\u007f-\u009f\\]/.test(path)) return false
  return path
    .split('/')
    .every((part) => part !== '' && part !== '.' && part !== '..' && Buffer.byteLength(part) <= 255)
}

/** True for a safe path of one component. */
export function isFileName(name: string): boolean {
  return isSafePath(name) && !name.includes('/')
}

/** Gives back a path that `isSafePath` accepts; throws PATH_UNSAFE naming where it was found. */
export function safePath(path: string, where: string): string {
  if (isSafePath(path)) return path
  throw new CarryallError('PATH_UNSAFE', `Refused path ${JSON.stringify(path.slice(0, 200))} in ${where}`, {
    hint: 'Only relative paths without "..", empty parts, backslashes or control characters are used; the source of this file is not to be trusted',
    subject: { kind: 'file', name: path.slice(0, 200) },
  })
}
