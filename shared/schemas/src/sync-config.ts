import * as z from 'zod'
import { isHost, isRepository } from './grammar.ts'
import { API_VERSION, defineKind, documentHead } from './kind.ts'
import { parseBytes } from './parse-bytes.ts'

const pattern = () => z.string().min(1)
const patterns = () => z.array(pattern()).min(1)
const file = () => z.string().min(1).describe('File; relative to this one')
const count = () => z.int().min(1)
const seconds = () => z.number().min(0)

/** Bytes per second. */
const rate = () =>
  z
    .string()
    .refine((text) => (parseBytes(text) ?? 0) > 0, 'not a size such as 20MB (10^6) or 64MiB (2^20)')
    .describe('Bytes a second, such as 20MB')

const clockTime = () => z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'not a time of day such as 08:00')

const side = () =>
  z
    .string()
    .regex(
      /^(?:docker:\/\/[^/]+(?:\/.+)?|oci:.+|oci-archive:.+)$/,
      'not docker://host[:port][/path], oci:DIRECTORY or oci-archive:FILE',
    )

const repositories = () =>
  z
    .strictObject({
      include: patterns().optional().describe('Globs; all if absent. `**` also matches "/"'),
      exclude: patterns().optional().describe('Globs of what is left out'),
    })
    .describe('Repositories, by their names below the source')

const tags = () =>
  z
    .strictObject({
      include: patterns().optional().describe('Globs; all if absent'),
      exclude: patterns().optional().describe('Globs of what is left out'),
      regex: pattern().optional().describe('The whole tag has to match (RE2 syntax)'),
      semver: pattern().optional().describe('Range such as `>=1.2 <2`; what is no version is left out'),
      newest: count().optional().describe('Of what is left, the newest N of each repository'),
      changed_since: pattern()
        .optional()
        .describe('Younger than `30d`, or than a time such as 2026-01-31T00:00:00Z'),
    })
    .describe('Tags')

/** `never`: a tag that differs is left; `move`: it is overwritten. */
const policies = () =>
  z
    .record(pattern(), z.enum(['never', 'move']))
    .describe('By glob of the tag; the first that matches counts, `never` where none does')

const pair = () =>
  z.strictObject({
    source: side().describe('`docker://host[:port][/path]`, `oci:DIRECTORY` or `oci-archive:FILE`'),
    destination: side().describe('Repositories keep their path below it'),
    repositories: repositories().optional().describe('Which repositories; all if absent'),
    tags: tags().optional().describe('Which tags; all if absent'),
    images: patterns()
      .optional()
      .describe('`repository:tag` or `repository@digest` below the source, in place of its list'),
    path_map: z
      .array(
        z.strictObject({
          from: pattern().describe('Prefix of the path, whole components'),
          to: z
            .string()
            .refine((text) => text === '' || isRepository(text), 'not a path of a repository')
            .describe('What stands in its place'),
        }),
      )
      .optional()
      .describe('The first that fits counts'),
    policies: policies().optional().describe('What may be overwritten'),
    backup: pattern()
      .optional()
      .describe('Tag that keeps what a moved tag named: `{tag}`, `{time}` and `{digest}` are put in'),
    platforms: z
      .array(
        z
          .string()
          .regex(
            /^[a-z0-9]+\/[a-z0-9_]+(?:\/[a-z0-9.]+)?$/,
            'not os/architecture[/variant], such as linux/arm64',
          ),
      )
      .min(1)
      .optional()
      .describe('`os/architecture[/variant]`; all if absent'),
    attachments: z.boolean().optional().describe('Signatures, attestations, SBOMs; true if absent'),
    api: z
      .enum(['auto', 'distribution', 'quay', 'harbor', 'gitlab', 'hub'])
      .optional()
      .describe('How the source is listed'),
    destination_api: z
      .enum(['auto', 'distribution', 'quay', 'harbor', 'gitlab', 'hub'])
      .optional()
      .describe('How the destination is listed'),
  })

const limits = () =>
  z
    .strictObject({
      concurrency: count().max(256).optional().describe('Requests at once at most'),
      requests_per_second: z.number().positive().optional().describe('Requests begun in a second at most'),
      bandwidth: rate().optional().describe('Bytes a second at most'),
      bandwidth_table: z
        .array(
          z.strictObject({
            from: clockTime().describe('Local time, HH:MM'),
            to: clockTime().describe('Before `from`: over midnight'),
            days: z
              .array(z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']))
              .min(1)
              .optional()
              .describe('All if absent'),
            bandwidth: rate().describe('Bytes a second at most'),
          }),
        )
        .optional()
        .describe('The first row that fits counts; `bandwidth` where none does'),
    })
    .describe('All that goes to and comes from this registry')

const registry = () =>
  z
    .strictObject({
      authfile: file().optional().describe('Credentials as podman and docker keep them'),
      username: z.string().min(1).optional().describe('With password_file'),
      password_file: file().optional().describe('First line is the password; mode 0600'),
      api_token_file: file().optional().describe('OAuth token for the API of Quay or GitLab'),
      ca_file: file().optional().describe('PEM file of authorities to trust as well'),
      client_cert: file().optional().describe('PEM file'),
      client_key: file().optional().describe('PEM file'),
      limits: limits().optional().describe('What the registry is to be spared'),
    })
    .refine(
      (one) => (one.username === undefined) === (one.password_file === undefined),
      'username and password_file belong together',
    )
    .refine(
      (one) => (one.client_cert === undefined) === (one.client_key === undefined),
      'client_cert and client_key belong together',
    )

/** What `reg-sync` keeps equal. */
export const syncConfigKind = defineKind({
  kind: 'SyncConfig',
  writtenBy: 'people',
  apiVersions: [API_VERSION],
  schema: () =>
    z
      .strictObject({
        ...documentHead('SyncConfig'),
        registries: z
          .record(z.string().refine(isHost, 'not host[:port]'), registry())
          .optional()
          .describe('Credentials by reference, and limits, by `host[:port]`'),
        defaults: z
          .strictObject({
            retry_times: z.int().min(0).max(100).optional().describe('How often a request is repeated'),
            retry_delay_seconds: seconds().optional().describe('0 is exponential'),
            image_timeout_seconds: seconds()
              .optional()
              .describe('For one image with all that belongs to it; 0 is none'),
            api_timeout_seconds: seconds().optional().describe('For an answer'),
            parallel_images: count().max(64).optional().describe('Images at once'),
            policies: policies().optional().describe('Used after those of each entry'),
          })
          .optional()
          .describe('A flag beats them'),
        sync: z.array(pair()).min(1).describe('What is kept equal to what, one after the other'),
      })
      .describe('What `reg-sync` keeps equal.'),
})

export type SyncConfig = z.infer<typeof syncConfigKind.schema>
export type SyncPair = SyncConfig['sync'][number]
export type RegistrySettings = NonNullable<SyncConfig['registries']>[string]
