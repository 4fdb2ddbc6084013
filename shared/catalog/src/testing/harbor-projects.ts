import { glob } from '../glob.ts'
import type { FakeBase } from './fake-server.ts'
import type { HarborProject } from './harbor.ts'
import { numbering } from './numbering.ts'
import { storedImage } from './stored-image.ts'

/** Projects of a Harbor by name. The first component of a repository is its project. */
export interface HarborProjects {
  readonly all: Map<string, HarborProject>
  /** `project/rest` in two. */
  split(repository: string): readonly [project: string, rest: string]
  repositories(project?: string): readonly string[]
  isImmutable(repository: string, tag: string): boolean
  /** Numbers of projects and of repositories. */
  readonly idOf: { project(name: string): number; repository(name: string): number }
  /** Bytes of the layers of all its artifacts. */
  used(project: string): number
}

export function harborProjects(
  { files }: FakeBase,
  given: Readonly<Record<string, HarborProject>>,
): HarborProjects {
  const all = new Map(Object.entries(given))
  const split = (repository: string) => {
    const [project = '', ...rest] = repository.split('/')
    return [project, rest.join('/')] as const
  }
  const repositories = (project?: string) =>
    files.repositories().filter((name) => project === undefined || split(name)[0] === project)
  return {
    all,
    split,
    repositories,
    idOf: { project: numbering(), repository: numbering() },
    isImmutable: (repository, tag) => {
      const [project, rest] = split(repository)
      const rules = all.get(project)?.immutable ?? []
      return rules.some((rule) => glob(rule.repository)(rest) && glob(rule.tag)(tag))
    },
    used: (project) => {
      const digests = new Set(
        repositories(project).flatMap((name) => files.manifests(name).map(({ digest }) => digest)),
      )
      return [...digests].reduce((sum, digest) => sum + (storedImage(files, digest).layersSize ?? 0), 0)
    },
  }
}
