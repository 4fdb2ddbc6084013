import { randomBytes } from 'node:crypto'

const PREFIX = '.carryall-tmp-'
const NAME = /^\.carryall-tmp-[0-9a-f]{24}$/

/** A name for what is not finished, or no longer wanted: random, and known as ours to a later run. */
export function temporaryName(): string {
  return PREFIX + randomBytes(12).toString('hex')
}

export function isTemporaryName(name: string): boolean {
  return NAME.test(name)
}
