import * as z from 'zod'
import { bytesSchema } from './descriptor.ts'
import { digestSchema, repositorySchema, tagSchema } from './name-schemas.ts'

const text = () => z.string().nullish()
const size = () => bytesSchema.nullish()
const digest = () => z.union([digestSchema, z.literal('')]).nullish()

/** Quay: `GET /api/v1/repository`. */
export const quayRepositoriesSchema = z.object({
  repositories: z.array(
    z.object({
      namespace: z.string(),
      name: z.string(),
      kind: text(),
      state: text(),
      last_modified: z.number().nullish(),
    }),
  ),
  next_page: text(),
})

/** Quay: `GET /api/v1/repository/NAME/tag/`. */
export const quayTagsSchema = z.object({
  tags: z.array(
    z.object({
      name: tagSchema,
      manifest_digest: digest(),
      size: size(),
      start_ts: z.number().nullish(),
      last_modified: text(),
    }),
  ),
  has_additional: z.boolean(),
})

/** Harbor: `GET /api/v2.0/systeminfo`. */
export const harborSystemSchema = z.object({ auth_mode: z.string() })

/** Harbor: `GET /api/v2.0/repositories`, also below a project. */
export const harborRepositoriesSchema = z.array(z.object({ name: repositorySchema }))

/** Harbor: `GET …/artifacts`. */
export const harborArtifactsSchema = z.array(
  z.object({
    digest: digestSchema,
    size: size(),
    manifest_media_type: text(),
    push_time: text(),
    tags: z.array(z.object({ name: tagSchema, push_time: text() })).nullish(),
  }),
)

/** GitLab: `GET /api/v4/projects`. */
export const gitlabProjectsSchema = z.array(
  z.object({
    id: z.int(),
    path_with_namespace: z.string(),
    container_registry_access_level: text(),
  }),
)

/** GitLab: `GET /api/v4/projects/ID/registry/repositories`. */
export const gitlabRepositoriesSchema = z.array(z.object({ id: z.int(), path: repositorySchema }))

/** GitLab: `GET …/tags`. */
export const gitlabTagsSchema = z.array(z.object({ name: tagSchema }))

/** Docker Hub: `POST /v2/auth/token`. */
export const hubTokenSchema = z.object({ access_token: z.string() })

/** Docker Hub: `GET /v2/repositories/NAMESPACE/`. */
export const hubRepositoriesSchema = z.object({
  next: text(),
  results: z.array(z.object({ name: z.string() })),
})

/** Docker Hub: `GET /v2/repositories/NAME/tags/`. */
export const hubTagsSchema = z.object({
  next: text(),
  results: z.array(
    z.object({
      name: tagSchema,
      digest: digest(),
      media_type: text(),
      full_size: size(),
      tag_last_pushed: text(),
      last_updated: text(),
    }),
  ),
})
