/** What refusals concern: a repository, a namespace (the first component of its name), or all (the empty string). */
export type Scope = string

/** From the repository itself to the whole registry. */
export function scopesOf(repository: string): readonly Scope[] {
  const namespace = repository.includes('/') ? [repository.slice(0, repository.indexOf('/'))] : []
  return [repository, ...namespace, '']
}

/**
 * Finds out how far refusals of one kind reach. One says nothing but about its own repository. The second in a row, with no
 * success within their scope between them, tells: it concerns what both have in common. Two repositories of a namespace
 * tell about the namespace, two namespaces about the registry, and one repository twice about that repository.
 */
export class RefusalScopes {
  /** By scope, the different parts of it that were refused since the last success in it. */
  readonly #refused = new Map<Scope, Set<string>>()

  /** The scopes that are refused by now. */
  refuse(repository: string): readonly Scope[] {
    const scopes = scopesOf(repository)
    return scopes.filter((scope, index) => {
      const parts = this.#refused.get(scope) ?? new Set()
      this.#refused.set(scope, parts)
      parts.add(scopes[index - 1] ?? `${parts.size}`)
      return parts.size > 1
    })
  }

  succeed(repository: string): void {
    for (const scope of scopesOf(repository)) this.#refused.delete(scope)
  }
}
