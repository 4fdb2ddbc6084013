import {
  connectionFlags,
  defineVerb,
  integer,
  list,
  oneOf,
  registryFlags,
  text,
  toggle,
  type Command,
  type FlagValues,
} from '@carryall/cli'
import manifest from '../package.json' with { type: 'json' }

// What is listed is what the registry itself has, not its mirrors.
const { 'registries-conf': _mirrors, ...ways } = connectionFlags

const flags = {
  summary: toggle('close the list with a Listing: how it was made, and whether it is complete'),
  api: oneOf(['auto', 'distribution', 'quay', 'harbor', 'gitlab', 'hub'], 'API to ask; auto finds out', {
    absent: 'auto',
  }),
  repository: list('GLOB', 'only such repositories, by their names below the namespace'),
  'exclude-repository': list('GLOB', 'not such repositories'),
  tag: list('GLOB', 'only such tags'),
  'exclude-tag': list('GLOB', 'not such tags'),
  'tag-regex': text('REGEX', 'only tags that match as a whole (RE2 syntax)'),
  semver: text('RANGE', 'only versions in a range such as ">=1.2 <2"'),
  newest: integer('N', 'of what is left, the newest N of each repository', { min: 1 }),
  'changed-since': text('AGE|TIME', 'only tags that were pushed since: 30d, 12h, 2026-01-31'),
  digests: toggle('ask for digests that the API does not give'),
  images: text('FILE|-', 'list what is named there: repository[:tag|@digest], or Image documents'),
  parallel: integer('N', 'requests at once', { absent: 8, min: 1, max: 64 }),
  ...registryFlags(''),
  ...ways,
} as const

/** The values of its flags. */
export type ListFlags = FlagValues<typeof flags>

const listing = defineVerb({
  name: '',
  summary: 'List repositories, tags and digests of a registry, an OCI layout or an OCI archive',
  operands: { synopsis: 'REGISTRY', min: 1, max: 1 },
  reads: [],
  writes: ['Image', 'Listing'],
  effects: false,
  flags,
  examples: [
    { command: 'reg-ls docker://registry.example/team', what: 'All tags below a namespace' },
    {
      command: 'reg-ls docker://quay.example/team --api-token-file token --changed-since 7d --summary',
      what: 'What was pushed this week, with proof that the list is complete',
    },
    {
      command: "reg-ls docker://registry.example --semver '>=4.14 <4.17' --newest 3 --digests",
      what: 'Three newest versions of each repository, with their digests',
    },
    {
      command: 'reg-ls docker://prod.example/team | reg-sync - docker://dr.example/team',
      what: 'Copy what is listed',
    },
  ],
  run: async (context, flags, operands) => (await import('./run.ts')).run(context, flags, operands),
})

export const command: Command = {
  name: 'reg-ls',
  version: manifest.version,
  summary: listing.summary,
  verbs: [listing],
}
