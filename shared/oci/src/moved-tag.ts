import { CarryallError } from '@carryall/errors'

/** The error for a tag that names another digest than the one it was to be deleted for. */
export function movedTag(
  host: string,
  repository: string,
  tag: string,
  expected: string,
  actual: string,
): CarryallError {
  const name = `${repository}:${tag}`
  return new CarryallError(
    'TAG_CONFLICT',
    `Cannot delete ${name} in ${host}: it names ${actual}, not ${expected}`,
    {
      subject: { kind: 'tag', name },
      expected,
      actual,
      hint: 'Someone has moved the tag since it was listed; list it again and look at what it is now',
    },
  )
}
