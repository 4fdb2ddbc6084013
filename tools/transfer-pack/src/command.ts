import { defineVerb, list, oneOf, size, text, toggle, type Command, type FlagValues } from '@carryall/cli'
import manifest from '../package.json' with { type: 'json' }

const flags = {
  out: text('DIR', 'where the volumes are written: a directory for all of them, or a mounted medium for one'),
  volume: list('N', 'only this volume of the plan'),
  content: text(
    'DIR',
    'content directory where the shipments are now; below it by chain where the plan has several',
    {
      shownDefault: "the plan's",
    },
  ),
  iso: toggle('an ISO 9660 image for each volume instead of a directory'),
  stdout: toggle('one tar stream of the volumes on stdout; documents go to --result'),
  link: oneOf(
    ['reflink', 'hard', 'never'],
    'share data with the sources instead of copying, where the file system can',
    {
      absent: 'reflink',
    },
  ),
  'verify-media': toggle(
    'read everything back from the medium, past the page cache, before a volume appears',
  ),
  'rate-limit': size('SIZE', 'bytes written in a second at most', { min: 1 }),
  'encrypt-to': list(
    'RECIPIENT',
    'encrypt files to this key: age1…, an OpenPGP fingerprint, or a file with a key',
  ),
  'encrypt-metadata': toggle('encrypt metadata and volume.json as well, under names that tell nothing'),
  'sign-key': list('KEY', "sign each volume's SHA256SUMS with this OpenPGP key"),
  'sign-passphrase-file': text('FILE', 'file, mode 0600, with the passphrase of the signing key'),
  'gpg-home': text('DIR', "gpg's directory", { shownDefault: 'GNUPGHOME or ~/.gnupg' }),
  force: toggle('make a volume again that is there', { argvOnly: true }),
} as const

/** The values of its flags. */
export type PackFlags = FlagValues<typeof flags>

const pack = defineVerb({
  name: '',
  summary: 'Write the volumes of a transfer plan',
  operands: { synopsis: '[PLAN]', min: 0, max: 1 },
  reads: ['TransferPlan'],
  writes: ['Volume', 'TransferPlan'],
  effects: true,
  flags,
  examples: [
    {
      command: 'mirror-seq -c isc.yaml | transfer-plan --media usb:64GB | transfer-pack --out /media/usb',
      what: 'What was just mirrored, onto a stick',
    },
    {
      command: 'transfer-pack plan.json --out /media/usb --volume 2',
      what: 'The second volume, on the second stick',
    },
    { command: 'transfer-pack plan.json --out /srv/images --iso', what: 'An image to burn for each volume' },
    {
      command: 'transfer-pack plan.json --stdout --result volumes.json | ssh diode receive',
      what: 'A tar stream',
    },
  ],
  run: async (context, flags, operands) => (await import('./run.ts')).run(context, flags, operands),
})

export const command: Command = {
  name: 'transfer-pack',
  version: manifest.version,
  summary: pack.summary,
  verbs: [pack],
}
