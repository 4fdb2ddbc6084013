import { defineVerb, list, text, toggle, type Command, type FlagValues } from '@carryall/cli'
import manifest from '../package.json' with { type: 'json' }

const flags = {
  content: text('DIR', 'directory of the content directories: a shipment goes to DIR/<chain>/<name>', {
    required: true,
  }),
  receipt: text('FILE', 'write a receipt of what this site holds'),
  'receipt-only': toggle('take nothing in; write the receipt alone'),
  site: text('NAME', 'name of this site', { shownDefault: 'site of the trust file, else the host name' }),
  trust: text('FILE', 'whose signatures count, and which chains are taken', {
    shownDefault: '/etc/carryall/trust.yaml, if it exists',
  }),
  scan: text('PROGRAM', 'run it on every file before publication; another exit than 0 refuses the shipment'),
  'scan-arg': list('ARG', 'argument of the scan program, before the file'),
  identity: list('FILE', 'age identity that decrypts volumes; OpenPGP asks the gpg agent'),
  'gpg-home': text('DIR', 'home of gpg', { shownDefault: 'GNUPGHOME, else ~/.gnupg' }),
  'sign-key': text('KEY', 'sign the receipt with this OpenPGP key'),
  'passphrase-file': text('FILE', 'passphrase of the key; the agent asks if absent'),
  'allow-expired': toggle('take in a shipment that has expired', { argvOnly: true }),
  'accept-state-reset': toggle('go on where the memory of this site and its content disagree', {
    argvOnly: true,
  }),
} as const

/** The values of its flags. */
export type UnpackFlags = FlagValues<typeof flags>

const unpack = defineVerb({
  name: '',
  summary: 'Check volumes as they come, put shipments together, publish each when it is whole and proven',
  operands: { synopsis: '[VOLUME...]', min: 0, max: Infinity },
  reads: ['Volume'],
  writes: ['Sequence', 'Receipt'],
  effects: true,
  flags,
  examples: [
    {
      command: 'transfer-unpack /media/usb --content /srv/content --receipt /media/usb/receipt.json',
      what: 'All volumes of a medium, with the answer for the way back',
    },
    {
      command:
        'transfer-unpack volume-001.iso --content /srv/content | seq-push - docker://registry.example:5000',
      what: 'An ISO image, read without mounting; what is whole is pushed',
    },
    { command: 'ssh host cat volumes.tar | transfer-unpack - --content /srv/content', what: 'A tar stream' },
  ],
  run: async (context, flags, operands) => (await import('./run.ts')).run(context, flags, operands),
})

export const command: Command = {
  name: 'transfer-unpack',
  version: manifest.version,
  summary: unpack.summary,
  verbs: [unpack],
}
