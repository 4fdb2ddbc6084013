import { glob } from '../glob.ts'
import type { FakeBase } from './fake-server.ts'
import type { HarborProjects } from './harbor-projects.ts'
import type { StoredTag } from './registry-files.ts'
import { storedImage, type StoredImage } from './stored-image.ts'

const COSIGN = /^sha256-([0-9a-f]{64})\.(?:sig|att|sbom)$/

interface Tagged extends Pick<StoredImage, 'digest' | 'json'> {
  readonly tags: readonly StoredTag[]
}

/** What a list of artifacts is asked for. */
export interface ArtifactQuery {
  /** `*`, `nil`, `~part` or a tag; undefined for all. */
  readonly tags: string | undefined
  readonly with: (what: 'tag' | 'accessory' | 'immutable_status') => boolean
}

/** Artifacts of a repository as the API gives them, the newest first. */
export function harborArtifacts(
  { files }: FakeBase,
  projects: HarborProjects,
  repository: string,
  query: ArtifactQuery,
): readonly object[] {
  const tags = files.tags(repository)
  const images = files.manifests(repository).map(({ digest, since }) => ({
    ...storedImage(files, digest),
    since,
    tags: tags.filter((tag) => tag.digest === digest),
  }))
  const subjects = new Map(images.flatMap(subjectsOf))
  const children = new Set(images.flatMap(({ json }) => (json.manifests ?? []).map(({ digest }) => digest)))
  const sizeOf = (digest: string): number => {
    const { bytes, json } = storedImage(files, digest)
    const own =
      bytes.length + (json.config?.size ?? 0) + (json.layers ?? []).reduce((sum, { size }) => sum + size, 0)
    return (json.manifests ?? []).reduce((sum, child) => sum + sizeOf(child.digest), own)
  }

  return (
    images
      // What hangs on another artifact, and the parts of an index that have no tag of their own, are not listed.
      .filter(({ digest, tags: own }) => !subjects.has(digest) && (own.length > 0 || !children.has(digest)))
      .filter(({ tags: own }) => isAsked(query.tags, own))
      .toSorted((a, b) => b.since.getTime() - a.since.getTime())
      .map(({ digest, since, json, mediaType, tags: own }, index) => ({
        id: index + 1,
        type: 'IMAGE',
        media_type: json.config?.mediaType ?? mediaType,
        manifest_media_type: mediaType,
        artifact_type: json.artifactType ?? json.config?.mediaType ?? mediaType,
        project_id: projects.idOf.project(projects.split(repository)[0]),
        repository_id: projects.idOf.repository(repository),
        repository_name: repository,
        digest,
        size: sizeOf(digest),
        push_time: since.toISOString(),
        // Of one that nobody has pulled.
        pull_time: '0001-01-01T00:00:00.000Z',
        references: (json.manifests ?? []).map((child) => ({
          parent_id: index + 1,
          child_digest: child.digest,
          platform: child.platform,
        })),
        // Null, not an empty list, where there are none or none were asked for.
        tags:
          query.with('tag') && own.length > 0
            ? own.map((tag) => ({
                name: tag.name,
                push_time: tag.since.toISOString(),
                pull_time: '0001-01-01T00:00:00.000Z',
                immutable: query.with('immutable_status') && projects.isImmutable(repository, tag.name),
              }))
            : null,
        accessories: query.with('accessory')
          ? images
              .filter((each) => subjects.get(each.digest) === digest)
              .map((each) => ({
                digest: each.digest,
                size: sizeOf(each.digest),
                type: each.json.subject ? 'subject.accessory' : 'signature.cosign',
                subject_artifact_digest: digest,
                subject_artifact_repo: repository,
                creation_time: each.since.toISOString(),
              }))
          : null,
      }))
  )
}

/** What an artifact hangs on: by its subject, or by the name of a tag in the way of cosign. */
function subjectsOf({ digest, json, tags }: Tagged): readonly (readonly [string, string])[] {
  const hex = tags.map(({ name }) => COSIGN.exec(name)?.[1]).find((found) => found !== undefined)
  const subject = json.subject?.digest ?? (hex && `sha256:${hex}`)
  return subject === undefined ? [] : [[digest, subject]]
}

function isAsked(asked: string | undefined, tags: Tagged['tags']): boolean {
  if (asked === undefined) return true
  if (asked === 'nil') return tags.length === 0
  const matches = glob(asked.startsWith('~') ? `*${asked.slice(1)}*` : asked)
  return tags.some(({ name }) => matches(name))
}
