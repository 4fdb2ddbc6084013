import { CarryallError, isCarryallError } from '@carryall/errors'

const FLAG: Readonly<Record<string, string>> = {
  '#/tags/regex': 'tag-regex',
  '#/tags/semver': 'semver',
  '#/tags/changed_since': 'changed-since',
}

/** What is wrong in a selection that flags gave was wrong in a flag: USAGE_BAD_VALUE. Other errors stay as they are. */
export function asFlagError(error: unknown): unknown {
  const flag = isCarryallError(error, 'CONFIG_INVALID') ? FLAG[error.details.pointer ?? ''] : undefined
  if (flag === undefined) return error
  const { message, details } = error as CarryallError
  const { pointer: _, ...rest } = details
  return new CarryallError('USAGE_BAD_VALUE', `Flag --${flag}: ${message}`, {
    ...rest,
    subject: { kind: 'flag', name: flag },
    cause: error,
  })
}
