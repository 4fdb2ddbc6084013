/** `Did you mean …?` for the candidate that is nearest to `word`, as the key `hint`; `otherwise` where none is near. */
export async function suggest(
  word: string,
  candidates: Iterable<string>,
  otherwise: string,
  prefix = '',
): Promise<{ hint: string }> {
  const { nearest } = await import('@carryall/schemas')
  const meant = nearest(word, candidates)
  return { hint: meant === undefined ? otherwise : `Did you mean ${prefix}${meant}?` }
}
