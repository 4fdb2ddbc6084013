import type { Repository } from './repository.ts'

/** Something that a registry has to do, tried in a repository of its own. */
export type Check = (repository: Repository) => Promise<void>

export type Checks = Readonly<Record<string, Check>>
