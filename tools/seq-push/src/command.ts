import {
  connectionFlags,
  defineVerb,
  integer,
  registryFlags,
  text,
  toggle,
  type Command,
  type FlagValues,
} from '@carryall/cli'
import manifest from '../package.json' with { type: 'json' }

// Images are written by the distribution API alone, and mirrors are for reading.
const { 'dest-api-token-file': _token, ...destinationFlags } = registryFlags('dest')
const { 'registries-conf': _mirrors, ...ways } = connectionFlags

const flags = {
  content: text('DIR', 'content directory with the other sequences of the chain', {
    shownDefault: 'where the sequence is',
  }),
  trust: text('FILE', 'whose signatures count, and which chains are taken', {
    shownDefault: '/etc/carryall/trust.yaml, if it exists',
  }),
  receipt: text('FILE', 'write a receipt of what the destination holds now'),
  site: text('NAME', 'name of this site', {
    shownDefault: "site of the trust file, else in the receipt the destination's host",
  }),
  'sign-key': text('KEY', 'sign the receipt with this OpenPGP key'),
  'gpg-home': text('DIR', 'home of gpg', { shownDefault: 'GNUPGHOME, else ~/.gnupg' }),
  'passphrase-file': text('FILE', 'passphrase of the key; the agent asks if absent'),
  'allow-expired': toggle('push a sequence that has expired', { argvOnly: true }),
  'max-nested-paths': integer(
    'N',
    'components of a repository path at most; the surplus is joined with "-"; 0 is no limit',
    { absent: 0, max: 64 },
  ),
  'parallel-images': integer('N', 'images at once', { absent: 8, min: 1, max: 64 }),
  'parallel-layers': integer('N', 'blobs at once for each image', { absent: 6, min: 1, max: 64 }),
  ...destinationFlags,
  ...ways,
} as const

/** The values of its flags. */
export type PushFlags = FlagValues<typeof flags>

const push = defineVerb({
  name: '',
  summary: 'Prove that every blob is here or there, then push sequences into a registry or an OCI layout',
  operands: { synopsis: '[SEQUENCE...] DESTINATION', min: 1, max: Infinity },
  reads: ['Sequence'],
  writes: ['PushReport'],
  effects: true,
  flags,
  examples: [
    {
      command: 'seq-push content/seq2-20240818-1430 docker://registry.example:5000/mirror',
      what: 'One sequence',
    },
    {
      command: 'seq-push content docker://registry.example:5000 --receipt receipt.json',
      what: 'All sequences of a content directory',
    },
    { command: 'mirror-seq -c isc.yaml | seq-push - oci:/srv/layout', what: 'Into an OCI layout' },
  ],
  run: async (context, flags, operands) => (await import('./run.ts')).run(context, flags, operands),
})

export const command: Command = {
  name: 'seq-push',
  version: manifest.version,
  summary: push.summary,
  verbs: [push],
}
