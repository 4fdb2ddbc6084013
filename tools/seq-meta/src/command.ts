import { defineVerb, text, toggle, type Command } from '@carryall/cli'
import manifest from '../package.json' with { type: 'json' }

const list = defineVerb({
  name: 'list',
  summary: 'List the shipments of a content directory',
  operands: { synopsis: '[CONTENT]', min: 0, max: 1 },
  reads: [],
  writes: ['Sequence'],
  effects: false,
  flags: {},
  examples: [
    { command: 'seq-meta list content', what: 'Name, size, type and date of every sequence' },
    { command: "seq-meta list content | jq -r 'select(.complete).name'", what: 'Those that need no other' },
  ],
  run: async (context, _flags, operands) => (await import('./list.ts')).list(context, operands),
})

const show = defineVerb({
  name: 'show',
  summary: "Print a shipment's metadata",
  operands: { synopsis: '[SHIPMENT...]', min: 0, max: Infinity },
  reads: ['Sequence'],
  writes: ['Sequence'],
  effects: false,
  flags: {},
  examples: [
    {
      command: 'seq-meta show -o yaml content/seq2-20240818-1430',
      what: 'As its file has it, with its place',
    },
  ],
  run: async (context, _flags, operands) => (await import('./show.ts')).show(context, operands),
})

const verify = defineVerb({
  name: 'verify',
  summary: 'Prove that shipments are whole, and that what they borrow is here',
  operands: { synopsis: '[SHIPMENT...]', min: 0, max: Infinity },
  reads: ['Sequence'],
  writes: ['Verification'],
  effects: false,
  flags: {
    fast: toggle('files and sizes only; nothing is read through'),
    content: text('DIR', 'content directory in which to look for the other shipments of the chain', {
      shownDefault: 'where the shipment is',
    }),
    trust: text('FILE', 'whose signatures count, and which chains are taken', {
      shownDefault: '/etc/carryall/trust.yaml, if it exists',
    }),
  },
  examples: [
    {
      command: 'seq-meta verify content',
      what: 'Every byte of every sequence, the links of the chain, and completeness',
    },
    { command: 'mirror-seq -c isc.yaml | tee seq.json | seq-meta verify', what: 'What was just mirrored' },
  ],
  run: async (context, flags, operands) => (await import('./verify.ts')).verify(context, flags, operands),
})

const sign = defineVerb({
  name: 'sign',
  summary: 'Sign shipments: their SHA256SUMS, once they are found to be as their metadata says',
  operands: { synopsis: '[SHIPMENT...]', min: 0, max: Infinity },
  reads: ['Sequence'],
  writes: ['Sequence'],
  effects: true,
  flags: {
    'sign-key': text('KEY', 'sign with this OpenPGP key', { required: true }),
    'gpg-home': text('DIR', 'home of gpg', { shownDefault: 'GNUPGHOME, else ~/.gnupg' }),
    'passphrase-file': text('FILE', 'passphrase of the key; the agent asks if absent'),
    content: text('DIR', 'content directory in which to look for the shipments of documents', {
      shownDefault: 'where the shipment is',
    }),
  },
  examples: [
    {
      command: 'seq-meta sign --sign-key ops@site.example content/seq2-20240818-1430',
      what: 'A signature beside those that others have given',
    },
  ],
  run: async (context, flags, operands) => (await import('./sign.ts')).sign(context, flags, operands),
})

const diff = defineVerb({
  name: 'diff',
  summary: 'Tell what changed between two sequences',
  operands: { synopsis: 'FROM TO', min: 2, max: 2 },
  reads: ['Sequence'],
  writes: ['SequenceDiff'],
  effects: false,
  flags: {},
  examples: [
    {
      command: 'seq-meta diff content/seq1-baseline content/seq2-20240818-1430',
      what: 'Images, versions, bytes and configuration',
    },
  ],
  run: async (context, _flags, operands) => (await import('./diff.ts')).diff(context, operands),
})

const audit = defineVerb({
  name: 'audit',
  summary: 'Prove that the audit log is whole, and sum it up',
  operands: { synopsis: '[FILE]', min: 0, max: 1 },
  reads: [],
  writes: ['AuditReport'],
  effects: false,
  flags: {
    'expect-head': text(
      'DIGEST|RECEIPT',
      'digest of an entry that has to be there, or a receipt that names it',
    ),
  },
  examples: [
    { command: 'seq-meta audit -o table', what: 'Who did what, and which checks were weakened' },
    {
      command: 'seq-meta audit audit.ndjson --expect-head receipt.json',
      what: 'Whether anything was removed since the receipt was written',
    },
  ],
  run: async (context, flags, operands) => (await import('./audit.ts')).audit(context, flags, operands),
})

export const command: Command = {
  name: 'seq-meta',
  version: manifest.version,
  summary: 'List, show, verify, sign and compare shipments',
  verbs: [list, show, verify, sign, diff, audit],
}
