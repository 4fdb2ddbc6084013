import { CarryallError, isCarryallError } from '@carryall/errors'
import type { ListedImage } from './catalog.ts'

const GIVE_UP = 10
const ENDS_ALL = new Set(['REG_PROTOCOL', 'API_PROTOCOL', 'API_UNSUPPORTED', 'NET_ORIGIN_REFUSED'])

/** What cannot be read, as far as it is known. */
export type Unread = Pick<ListedImage, 'registry' | 'repository' | 'tag' | 'digest'>

/** Decides whether a failure is one image's matter. */
export interface Failures {
  /** True once something could not be read. */
  readonly any: boolean
  /** Throws what is not one image's matter: an answer that no registry gives, and REG_GIVEN_UP after ten network errors in a row. */
  take(image: Unread, error: unknown): void
  succeeded(): void
}

export function failures(
  signal: AbortSignal,
  tell: ((image: Unread, error: unknown) => void) | undefined,
): Failures {
  let any = false
  let streak = 0
  return {
    get any() {
      return any
    },
    succeeded() {
      streak = 0
    },
    take(image, error) {
      if (tell === undefined || signal.aborted || !isCarryallError(error) || ENDS_ALL.has(error.code))
        throw error
      any = true
      streak = error.code.startsWith('NET_') ? streak + 1 : 0
      tell(image, error)
      if (streak < GIVE_UP) return
      throw new CarryallError('REG_GIVEN_UP', `${image.registry} did not answer ${streak} times in a row`, {
        subject: { kind: 'host', name: image.registry },
        hint: 'Run the same command again when it answers',
        cause: error,
      })
    },
  }
}
