/** True for a repository below a namespace, or of its very name; '' is all. */
export function within(namespace: string, repository: string): boolean {
  return namespace === '' || repository === namespace || repository.startsWith(`${namespace}/`)
}

/** The name of a repository below a namespace; one of the namespace's very name goes by its last component. */
export function below(namespace: string, repository: string): string {
  if (namespace === '') return repository
  return repository === namespace
    ? repository.slice(repository.lastIndexOf('/') + 1)
    : repository.slice(namespace.length + 1)
}
