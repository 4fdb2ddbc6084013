import { defineVerb, list, oneOf, size, text, toggle, type Command, type FlagValues } from '@carryall/cli'
import manifest from '../package.json' with { type: 'json' }
import { reserve } from './reserve.ts'

const flags = {
  content: text('DIR', 'content directory with the whole chain', { shownDefault: 'where the shipment is' }),
  have: list('FILE|DIR', 'receipts of the site; the newest of each kind counts'),
  'have-nothing': toggle('the site has nothing yet: the first trip'),
  'one-way': toggle('nothing ever comes back from the site: believe --assert'),
  assert: list('CHAIN=NUMBER', 'this shipment is complete at the site; recorded as your word'),
  site: text('NAME', 'which site the plan is for', { shownDefault: 'the one that the receipts are of' }),
  target: list(
    'SHIPMENT|CHAIN=NUMBER',
    'what has to be complete there; by default the newest of each chain that was given',
  ),
  media: list(
    'MEDIUM',
    'dvd, bd25, bd50, usb:SIZE, SIZE, unlimited or dir:PATH; the last one repeats; unlimited by default',
  ),
  reserve: reserve('leave this much of each medium alone'),
  filesystem: oneOf(['fat32', 'exfat', 'ext4', 'xfs', 'btrfs', 'udf', 'iso9660'], 'of the media', {
    shownDefault: 'what the medium usually has',
  }),
  rate: size('SIZE', 'bytes per second that the media take, for the time to copy', { min: 1 }),
  verify: toggle('read every byte of what has to cross'),
  trust: text('FILE', 'keys that sign receipts', {
    shownDefault: '/etc/carryall/trust.yaml, if it is there',
  }),
} as const

/** The values of its flags. */
export type PlanFlags = FlagValues<typeof flags>

const plan = defineVerb({
  name: '',
  summary:
    'Find out which shipments have to cross so that the newest is complete at a site, and on which volumes',
  operands: { synopsis: '[SHIPMENT...]', min: 0, max: Infinity },
  reads: ['Sequence', 'Receipt'],
  writes: ['TransferPlan'],
  effects: false,
  flags,
  examples: [
    {
      command: 'transfer-plan content --have-nothing --media usb:64GB -o table',
      what: 'What the first trip takes, for people',
    },
    {
      command:
        'mirror-seq -c isc.yaml | transfer-plan --have receipts/ --media usb:64GB --filesystem exfat > plan.json',
      what: 'Only what the site lacks',
    },
    {
      command: 'transfer-plan content --have receipts/ --site lab --media dvd --rate 9MB -o table',
      what: 'For one of several sites, with the time to burn',
    },
    {
      command: 'transfer-plan content --one-way --assert isc=3 --media dir:/media/usb',
      what: 'Nothing comes back, and number 3 is there by your word',
    },
  ],
  run: async (context, flags, operands) => (await import('./run.ts')).run(context, flags, operands),
})

export const command: Command = {
  name: 'transfer-plan',
  version: manifest.version,
  summary: plan.summary,
  verbs: [plan],
}
