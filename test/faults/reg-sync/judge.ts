import { readFile } from 'node:fs/promises'
import type { SyncEvent } from '@carryall/schemas'
import { lacking, tagsIn } from '../../support/sync-storage.ts'
import type { SyncSite } from './site.ts'

/** What is wrong at the destination below a path, at any moment: a tag that is not right, or not whole. With `all` also one that is not there. */
export async function wrongAt(site: SyncSite, below: string, all = false): Promise<readonly string[]> {
  const tags = await tagsIn(site.scratch.at('destination'), below)
  const wrong: string[] = []
  for (const { repository, tag, sample } of site.images) {
    const name = repository.replace(/^set/, below)
    const digest = tags[`${name}:${tag}`]
    if (digest === undefined && !all) continue
    if (digest !== sample.manifest.digest) wrong.push(`${name}:${tag} names ${digest ?? 'nothing'}`)
    const files = await lacking(site.scratch.at('destination'), { repository: name, tag, sample })
    wrong.push(...files.map((file) => `${name}:${tag} lacks ${file}`))
  }
  return wrong
}

/** Blobs that were committed more than once below a path, anywhere or to one repository, by the destination's own log. */
export function sentTwice(
  site: SyncSite,
  below: string,
  where: 'anywhere' | 'to one repository' = 'anywhere',
): readonly string[] {
  const committed = site.destination
    .requests()
    .filter(
      ({ method, path, status }) =>
        method === 'PUT' &&
        status === 201 &&
        path.startsWith(`/v2/${below}/`) &&
        path.includes('/blobs/uploads/'),
    )
    .map(({ path }) => {
      const { pathname, searchParams } = new URL(path, 'http://registry')
      const repository = where === 'anywhere' ? '' : pathname.replace(/\/blobs\/uploads\/.*/, ' ')
      return `${repository}${searchParams.get('digest')!}`
    })
  const counts = Map.groupBy(committed, (blob) => blob)
  return [...counts].flatMap(([blob, times]) => (times.length > 1 ? [blob] : []))
}

/** What a journal says is done, as paths of the destination; a last line that is not whole says nothing. */
export async function doneIn(journal: string): Promise<readonly string[]> {
  const text = await readFile(journal, 'utf8').catch(() => '')
  const events = text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as SyncEvent)
  return events.flatMap(({ event, outcome, destination, digest }) =>
    event === 'image' && (outcome === 'copied' || outcome === 'same')
      ? [`/v2/${destination!.repository}/manifests/${destination!.tag ?? digest!}`]
      : [],
  )
}
