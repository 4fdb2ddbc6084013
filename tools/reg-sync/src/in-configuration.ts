import { CarryallError, isCarryallError } from '@carryall/errors'

/**
 * What is wrong with a value of a configuration, whatever found it, says where the value stands: CONFIG_INVALID with its pointer, and
 * the name of the file where that is known.
 */
export function inConfiguration<T>(pointer: string, take: () => T, file?: string): T {
  try {
    return take()
  } catch (error) {
    if (!isCarryallError(error)) throw error
    const { pointer: inner = '#', ...details } = error.details
    throw new CarryallError('CONFIG_INVALID', error.message, {
      ...details,
      pointer: `${pointer}${inner.slice(1)}`,
      ...(file === undefined ? {} : { location: { file } }),
      cause: error.details.cause,
    })
  }
}
