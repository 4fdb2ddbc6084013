/** Several errors as one to be thrown, each of which is told; a single one as it is. */
export function together(errors: readonly Error[]): Error {
  return errors.length === 1 ? errors[0]! : new AggregateError(errors)
}
