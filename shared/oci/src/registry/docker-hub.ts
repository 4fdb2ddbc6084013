const NAMES = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io'])

/** True for any of the names under which people and files know Docker Hub. */
export function isDockerHub(host: string): boolean {
  return NAMES.has(host.toLowerCase())
}

/** The `host[:port]` that is really asked: Docker Hub's registry has another name than its images. */
export function registryHost(host: string): string {
  return isDockerHub(host) ? 'registry-1.docker.io' : host
}

/** The name that the registry knows a repository by: Docker Hub keeps those of one component under `library/`. */
export function repositoryName(host: string, repository: string): string {
  return isDockerHub(host) && !repository.includes('/') ? `library/${repository}` : repository
}
