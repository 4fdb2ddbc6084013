import {
  connectionFlags,
  defineVerb,
  integer,
  list,
  oneOf,
  registryFlags,
  seconds,
  size,
  text,
  toggle,
  type Command,
  type Flag,
  type FlagValues,
} from '@carryall/cli'
import manifest from '../package.json' with { type: 'json' }
import { parsePlatform } from './parse-platform.ts'
import { parsePolicy } from './parse-policy.ts'
import { parseVerify, type VerifyMode } from './verify-mode.ts'

const APIS = ['auto', 'distribution', 'quay', 'harbor', 'gitlab', 'hub'] as const

/** A list whose entries mean something. */
function each<T>(flag: Flag<readonly string[]>, parse: (text: string) => T): Flag<readonly T[]> {
  return { ...flag, absent: [], parse: (texts) => texts.map(parse) }
}

const verify: Flag<VerifyMode> = {
  ...text('tag|deep|sample:N', 'how what is there is proven', { shownDefault: 'tag' }),
  absent: parseVerify('tag'),
  parse: (texts) => parseVerify(texts.at(-1) ?? ''),
}

const endFlags = {
  ...connectionFlags,
  ...registryFlags('src'),
  ...registryFlags('dest'),
  'api-timeout': seconds('TIME', 'limit without a byte of an answer', { shownDefault: '60s' }),
  bandwidth: size('RATE', 'bytes a second at most, of all that a registry sends and takes'),
  'requests-per-second': integer('N', 'requests a second at most, for each registry', { min: 1 }),
  concurrency: integer('N', 'requests at once at most, for each registry', { min: 1, max: 256 }),
} as const

const planFlags = {
  config: text('FILE', 'SyncConfig; `-` for stdin', { short: 'c' }),
  'src-api': oneOf(APIS, 'how the source is listed', { shownDefault: 'auto' }),
  'dest-api': oneOf(APIS, 'how the destination is listed', { shownDefault: 'auto' }),
  repository: list('GLOB', 'only these repositories, by their names below the source'),
  'exclude-repository': list('GLOB', 'without these repositories'),
  tag: list('GLOB', 'only these tags'),
  'exclude-tag': list('GLOB', 'without these tags'),
  'tag-regex': text('PATTERN', 'only tags that match as a whole'),
  semver: text('RANGE', 'only versions in this range, such as ">=1.2 <2"'),
  newest: integer('N', 'only the newest N tags of each repository', { min: 1 }),
  'changed-since': text('WHEN', 'only tags younger than 30d, or than a time'),
  platform: each(
    list('OS/ARCH[/VARIANT]', 'only these platforms of each index; all if not given'),
    parsePlatform,
  ),
  attachments: toggle('take signatures, attestations and SBOMs along', { absent: true }),
  policy: each(
    list('GLOB=move', 'tags that may be overwritten; the first that fits counts', { argvOnly: true }),
    parsePolicy,
  ),
  backup: text('TAG', 'keep what a moved tag named under this tag: {tag}, {time}, {digest}'),
  'delete-extra': toggle('delete tags that the source does not have', { argvOnly: true }),
} as const

const applyFlags = {
  'max-delete': integer('N', 'delete no more than this, or nothing', { absent: 10 }),
  verify,
  'parallel-images': integer('N', 'images at once', { min: 1, max: 64, shownDefault: '8' }),
  'parallel-layers': integer('N', 'blobs at once for each image', { absent: 6, min: 1, max: 64 }),
  'image-timeout': seconds('TIME', 'limit for an image with all that belongs to it; 0 is none', {
    shownDefault: '0',
  }),
  journal: text('FILE', 'journal of the run, which a later one goes on from', {
    shownDefault: 'in the state directory',
  }),
  'log-file': text('FILE', 'one line per event'),
  'log-rotate-size': size('SIZE', 'begin a new log file at this size'),
  'log-rotate-age': seconds('TIME', 'begin a new log file at this age', {
    absent: 604_800,
    shownDefault: '7d',
  }),
  'log-level': oneOf(['debug', 'info', 'warning', 'error'], 'what is left out of the log file', {
    absent: 'info',
  }),
  'log-keep': integer('N', 'old log files that are kept, compressed', { absent: 12 }),
} as const

const syncFlags = { ...planFlags, ...applyFlags, ...endFlags } as const
export type EndFlags = FlagValues<typeof endFlags>
export type PlanFlags = FlagValues<typeof planFlags>
export type ApplyFlags = FlagValues<typeof applyFlags>

const check = {
  check: toggle('compare only: how far the destination is from the source, with an exit code by class'),
  'retry-failed': text('JOURNAL', 'only what failed in the run of this journal'),
} as const
export type SyncFlags = FlagValues<typeof syncFlags & typeof check>

const sync = defineVerb({
  name: '',
  summary: 'Copy what a destination lacks, prove it, overwrite nothing',
  operands: { synopsis: '[SOURCE] [DESTINATION]', min: 0, max: 2 },
  reads: ['Image', 'Listing', 'SyncConfig'],
  writes: ['SyncReport', 'SyncPlan'],
  effects: true,
  flags: { ...syncFlags, ...check },
  examples: [
    {
      command: 'reg-sync docker://prod.example/team docker://dr.example/team',
      what: 'Whatever is below team, with its digests',
    },
    {
      command: 'reg-sync --check docker://prod.example/team docker://dr.example/team',
      what: 'The readiness report: 0 in sync, 83 missing, 84 diverged',
    },
    {
      command:
        'reg-ls docker://prod.example/team | jq -c \'select(.tag != "latest")\' | reg-sync - docker://dr.example',
      what: 'What somebody else has chosen',
    },
    {
      command: "reg-sync -c sync.yaml --policy 'latest=move'",
      what: 'Several pairs; latest may be overwritten',
    },
  ],
  run: async (context, flags, operands) => (await import('./run-sync.ts')).runSync(context, flags, operands),
})

const plan = defineVerb({
  name: 'plan',
  summary: 'Say what would be copied, image by image, and how many bytes',
  operands: { synopsis: '[SOURCE] [DESTINATION]', min: 0, max: 2 },
  reads: ['Image', 'Listing', 'SyncConfig'],
  writes: ['SyncPlan'],
  effects: false,
  flags: {
    ...planFlags,
    verify: oneOf(['tag', 'deep'], 'how what is there is proven', { absent: 'tag' }),
    ...endFlags,
  },
  examples: [
    {
      command: 'reg-sync plan docker://prod.example/team docker://dr.example/team >plan.json',
      what: 'For review, then reg-sync apply plan.json',
    },
  ],
  run: async (context, flags, operands) => (await import('./run-plan.ts')).runPlan(context, flags, operands),
})

const apply = defineVerb({
  name: 'apply',
  summary: 'Do what a plan says; what has moved since is refused',
  operands: { synopsis: '[PLAN]', min: 0, max: 1 },
  reads: ['SyncPlan'],
  writes: ['SyncReport'],
  effects: true,
  flags: {
    ...applyFlags,
    shard: text('I/N', 'only this part of the plan, from 1; /N takes I from JOB_COMPLETION_INDEX'),
    'retry-failed': check['retry-failed'],
    config: text('FILE', 'SyncConfig, for its credentials and limits', { short: 'c' }),
    ...endFlags,
  },
  examples: [
    { command: 'reg-sync apply plan.json', what: 'All of it' },
    {
      command:
        'parallel --joblog jobs reg-sync apply plan.json --shard {}/4 --result report{}.json ::: 1 2 3 4',
      what: 'By four workers',
    },
  ],
  run: async (context, flags, operands) =>
    (await import('./run-apply.ts')).runApply(context, flags, operands),
})

const merge = defineVerb({
  name: 'merge',
  summary: 'Make one report of those of the parts of a plan',
  operands: { synopsis: '[REPORT...]', min: 0, max: Infinity },
  reads: ['SyncReport'],
  writes: ['SyncReport'],
  effects: false,
  flags: {},
  examples: [{ command: 'reg-sync merge report*.json', what: 'What four workers did' }],
  run: async (context, _flags, operands) => (await import('./merge-verb.ts')).runMerge(context, operands),
})

export const command: Command = {
  name: 'reg-sync',
  version: manifest.version,
  summary: 'Keep a registry equal to another one, provably',
  verbs: [sync, plan, apply, merge],
}
