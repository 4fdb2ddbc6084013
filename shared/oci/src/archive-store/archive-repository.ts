import { layoutRepository } from '../layout/entry-name.ts'

/** The repository that plain tags of an archive belong to: its file's name without `.tar`, made to fit the grammar. */
export function archiveRepository(file: string): string {
  return layoutRepository(file.replace(/(?<=[^/])\.tar$/i, ''))
}
