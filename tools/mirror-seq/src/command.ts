import {
  connectionFlags,
  defineVerb,
  integer,
  list,
  registryFlags,
  seconds,
  text,
  toggle,
  type Command,
  type FlagValues,
} from '@carryall/cli'
import manifest from '../package.json' with { type: 'json' }

// Images are read by the distribution API alone.
const { 'src-api-token-file': _, ...sourceFlags } = registryFlags('src')

const flags = {
  config: text('FILE', 'ImageSetConfiguration; `-` for stdin', { short: 'c', required: true }),
  content: text('DIR', 'content directory of the chain', { absent: 'content' }),
  chain: text('NAME', 'name of the chain, when it begins', { shownDefault: 'mirror' }),
  description: text('TEXT', 'name of the sequence after its number', {
    shownDefault: 'baseline, then YYYYMMDD-HHMM',
  }),
  site: list('NAME', 'site that the sequence is meant for; all if not given'),
  expires: text('WHEN', 'not to be used after this: 90d, or a time such as 2027-01-31T00:00:00Z'),
  'new-baseline': toggle('hold everything again, so that no earlier sequence is needed'),
  'take-over': toggle('go on in a copied or restored content directory', { argvOnly: true }),
  restart: toggle('pin the images anew where an earlier run was cut or failed; what it fetched is used'),
  'parallel-images': integer('N', 'images at once', { absent: 8, min: 1, max: 64 }),
  'parallel-layers': integer('N', 'blobs at once for each image', { absent: 6, min: 1, max: 64 }),
  'max-parallel-downloads': integer('N', 'blobs at once over all, in place of the two above', {
    min: 1,
    max: 64,
    shownDefault: '48',
  }),
  'image-timeout': seconds('TIME', 'limit for each blob, its retries included; 0 is none', {
    absent: 5400,
    shownDefault: '90m',
  }),
  ...sourceFlags,
  ...connectionFlags,
  'remove-signatures': toggle('leave signatures, attestations and SBOMs behind'),
  'foreign-layers': toggle('carry foreign layers, too; mind their licence'),
  'strict-archive': toggle('fail where a blob is larger than archiveSize'),
  'sign-key': text('KEY', 'sign the sequence with this OpenPGP key'),
  'gpg-home': text('DIR', 'home of gpg', { shownDefault: 'GNUPGHOME, else ~/.gnupg' }),
  'passphrase-file': text('FILE', 'passphrase of the key; the agent asks if absent'),
  mapping: text('FILE', "write oc-mirror's mapping.txt"),
} as const

/** The values of its flags. */
export type MirrorFlags = FlagValues<typeof flags>

const mirror = defineVerb({
  name: '',
  summary: 'Mirror an image set into the next sequence of a chain: only what no earlier sequence holds',
  operands: { synopsis: '', min: 0, max: 0 },
  reads: ['ImageSetConfiguration'],
  writes: ['Sequence', 'MirrorPlan'],
  effects: true,
  flags,
  examples: [
    { command: 'mirror-seq -c imageset-config.yaml --content content', what: 'The next sequence' },
    { command: 'mirror-seq -c imageset-config.yaml -n -o yaml', what: 'What it would hold, and how large' },
    {
      command: 'mirror-seq -c isc.yaml | tee seq.json | seq-push - docker://registry.example:5000',
      what: 'Mirror and push where both are reached',
    },
  ],
  run: async (context, flags) => (await import('./run.ts')).run(context, flags),
})

export const command: Command = {
  name: 'mirror-seq',
  version: manifest.version,
  summary: mirror.summary,
  verbs: [mirror],
}
